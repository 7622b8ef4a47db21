/** Requests whose body a test writes piece by piece. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { TestGateway } from './gateway.ts';

export type OpenRequest = { readonly outgoing: ClientRequest; readonly answer: Promise<IncomingMessage> };

/** Opens a request on the kubectl path with a credential of its own connection. */
export async function openRequest(
  gateway: TestGateway,
  options: { method: string; path: string; headers?: Record<string, string> },
): Promise<OpenRequest> {
  const outgoing = request({
    host: '127.0.0.1',
    port: gateway.port,
    path: options.path,
    method: options.method,
    headers: { authorization: `Bearer ${await gateway.kubeconfigToken()}`, ...options.headers },
    agent: false,
  });
  outgoing.on('error', () => undefined);
  return { outgoing, answer: new Promise((resolve) => outgoing.once('response', resolve)) };
}

/** The whole body of a message. */
export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
