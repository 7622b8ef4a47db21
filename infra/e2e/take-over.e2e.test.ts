/** Who is active and who waits (D18): two real control planes on one log, one of them frozen, killed, and started again. */
import http2 from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { afterBody } from '@clustral/agent/testing/api-server.ts';
import { eventually } from '@clustral/gateway/testing/gateway.ts';
import { EpochLedger, leaseStream } from '@clustral/schemas/events/lease.ts';
import { policyPrefixes } from '@clustral/schemas/events/catalogue.ts';
import {
  list,
  startTwoControlPlanes,
  type ControlPlaneProcess,
  type TwoControlPlanes,
} from './parts/two-control-planes.ts';
import { admin, type Claims, type Holder } from './parts/whole-path.ts';

let both: TwoControlPlanes;
let second: ControlPlaneProcess;
let alice: Holder;
const aliceClaims: Claims = { sub: 'alice', email: 'alice@corp.test' };

beforeAll(async () => {
  both = await startTwoControlPlanes();
  both.api.answer = afterBody(({ response, target }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    if (target.includes('watch=1')) response.write('{}\n');
    else response.end('{"kind":"NamespaceList"}');
  });
  alice = await both.first.people.holder(aliceClaims, both.clusterId, ['dev']);
  expect((await list(both.first, both.clusterId, alice.token)).status).toBe(200);
  second = await both.startSecond();
  await eventually(async () => (await second.readiness()).status === 503, 20_000);
});

afterAll(() => both?.stop());

/** What an agent's first call gets on :5443. */
async function control(port: number): Promise<string> {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/clustral.v1.TunnelService/Control',
      'content-type': 'application/connect+proto',
    });
    stream.end();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('latin1');
  } finally {
    session.destroy();
  }
}

describe('a second control plane', () => {
  it('waits: it says so on readiness, to people, to kubectl and to agents', async () => {
    const waits = /^Another control plane \([0-9a-f-]{36}\) is active; this one waits to take over\./;
    expect(await second.readiness()).toMatchObject({ status: 503, text: expect.stringMatching(waits) });
    expect(await second.people.rest(admin, 'GET /api/v1/clusters')).toMatchObject({
      status: 503,
      json: { code: 'STORE_UNAVAILABLE', detail: expect.stringMatching(waits) },
    });
    const proxied = await list(second, both.clusterId, alice.token);
    expect([proxied.status, await proxied.text()]).toEqual([503, expect.stringMatching(waits)]);
    expect(await control(second.tunnelPort)).toContain('"code":"unavailable"');
    expect((await list(both.first, both.clusterId, alice.token)).status).toBe(200);
  });

  it('takes over from one that is frozen, which does nothing any more when it wakes (F-23, F-38)', async () => {
    const watch = await fetch(`${both.first.gatewayUrl}/api/proxy/${both.clusterId}/api/v1/namespaces?watch=1`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });
    expect(watch.status).toBe(200);
    const watched = watch.text().then(
      () => 'ended',
      () => 'cut off',
    );
    both.first.child.kill('SIGSTOP');
    both.lead(second);
    await eventually(async () => (await second.readiness()).status === 200, 25_000);
    // The agent finds out by itself that nobody answers, and dials again.
    await eventually(async () => (await list(second, both.clusterId, alice.token)).status === 200, 60_000);
    const revoked = await second.people.rest(aliceClaims, `DELETE /api/v1/auth/credentials/${alice.credentialId}`);
    expect(revoked.status).toBeLessThan(300);
    const before = both.api.requests.length;
    const asked = Promise.allSettled([1, 2, 3].map(() => list(both.first, both.clusterId, alice.token)));
    both.first.child.kill('SIGCONT');
    expect(await both.first.exited).toBe(1);
    for (const answer of await asked) {
      if (answer.status === 'fulfilled') expect(answer.value.status).toBeGreaterThanOrEqual(401);
    }
    expect(await watched).toBe('cut off');
    expect(both.api.requests.slice(before).map(({ target }) => target)).toEqual([]);
    await expect(validAfterTakeOver()).resolves.toEqual([]);
  });
});

/** Facts of the first epoch that count although they were written after the second had begun. */
async function validAfterTakeOver(): Promise<readonly string[]> {
  const facts = await both.store.readBackwards({ prefixes: [...policyPrefixes, 'proxy-'], limit: 1_000 });
  const ledger = new EpochLedger();
  const { facts: lease } = await both.store.load(leaseStream);
  const tookOver = lease.at(-1)?.position ?? 0n;
  return facts
    .toReversed()
    .filter((fact) => !ledger.isVoid(fact) && fact.position > tookOver && fact.metadata.epoch < ledger.epoch)
    .map(({ type }) => type);
}
