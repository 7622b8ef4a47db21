/** When the installation as a whole answers: the gateway ready, and the demo cluster's agent connected. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ports } from './environment.ts';

const everyMs = 100;
const limitMs = 60_000;

/** Resolves when the gateway says that it is ready. Rejects with what it says instead after a minute. */
export async function whenReady({ ports, edgeCa }: { readonly ports: Ports; readonly edgeCa: string }): Promise<void> {
  const ca = readFileSync(edgeCa);
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask({ port: ports.gateway, ca });
    if (answer.status === 200) return;
    if (performance.now() > deadline)
      throw new Error(`the gateway did not become ready within a minute (${answer.text})`);
    await delay(everyMs);
  }
}

function ask({ port, ca }: { port: number; ca: Buffer }): Promise<{ status: number; text: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; text: string }>();
  const asked = request({ host: 'localhost', port, path: '/healthz/ready', ca, timeout: 2_000 }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString().trim() }),
    );
  });
  asked.on('timeout', () => asked.destroy(new Error('no answer within 2 s')));
  asked.on('error', (error) => resolve({ status: 0, text: error.message }));
  asked.end();
  return promise;
}
