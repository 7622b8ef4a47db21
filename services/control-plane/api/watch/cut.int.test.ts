import { connect, type AddressInfo } from 'node:net';
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify';
import { describe, expect, it } from 'vitest';
import { SystemService, WatchEvent } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { internalTokenHeader } from '@clustral/schemas/tokens.ts';
import { implement, type StreamCall } from '@clustral/kernel/api.ts';
import { connectionOf, connectRoutes } from '@clustral/kernel/api-connect.ts';
import { buildHttpServer } from '@clustral/kernel/http-server.ts';
import { createLog } from '@clustral/kernel/log.ts';

const docsBaseUrl = 'https://clustral.test/errors/';
const claims = { kind: 'internal', sub: 's', iat: 0, exp: 0 } as const;

describe('a stream that is cut', () => {
  it('is over for its reader without a last word, and its handler is told', { timeout: 5_000 }, async () => {
    const log = createLog('test', 'silent');
    const app = buildHttpServer({ log, docsBaseUrl });
    const told = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const unused = (): never => {
      throw new Error('nobody calls it here');
    };
    async function* watch(_: unknown, call: StreamCall) {
      call.signal.addEventListener('abort', () => told.resolve());
      yield { event: WatchEvent.STARTED };
      await begun.promise;
      call.cut();
      await told.promise;
    }
    const service = implement(SystemService, { getVersion: unused, getOpenApi: unused, watch });
    const verifier = { verify: () => Promise.resolve(claims) };
    await app.register(fastifyConnectPlugin, {
      routes: connectRoutes([service], { verifier, docsBaseUrl, log }),
      contextValues: connectionOf,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const answer = await rawCall(port, () => begun.resolve());
    await told.promise;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('x-accel-buffering: no');
    expect(answer).toContain('WATCH_EVENT_STARTED');
    // The last chunk of a body that ended as it should.
    expect(answer.endsWith('0\r\n\r\n')).toBe(false);
    await app.close();
  });
});

/** Everything that comes back until the connection is closed; `begun` is called when the first message has come. */
function rawCall(port: number, begun: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(
      `POST /clustral.v1.SystemService/Watch HTTP/1.1\r\nHost: x\r\n${internalTokenHeader}: t\r\n` +
        'Content-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\0\0\0\0\x02{}',
    ),
  );
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    if (answer.includes('STARTED')) begun();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(answer));
  return promise;
}
