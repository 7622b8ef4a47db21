/**
 * How fast a revocation bites, through gateway, control plane, tunnel and agent: from the instant at which the log recorded it until
 * the watch that was open with the credential is cut, and whether a request that was sent after the acknowledgement ever got
 * through. `node infra/bench/revocation.ts [rounds, default 1000]`; each round is a person and a credential of its own.
 */
import { request } from 'node:http';
import { afterBody } from '@clustral/agent/testing/api-server.ts';
import { credentialStream, type CredentialFact } from '@clustral/schemas/events/credential.ts';
import type { CredentialId } from '@clustral/schemas/ids.ts';
import { startWholePath, type Claims, type Holder, type WholePath } from '../e2e/parts/whole-path.ts';

const rounds = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1_000);

type Watch = { readonly cutAt: Promise<number> };

/** Opens a watch; resolves when its first line came. */
function watch(path: WholePath, { token }: Holder): Promise<Watch> {
  const { promise, resolve, reject } = Promise.withResolvers<Watch>();
  const cut = Promise.withResolvers<number>();
  const asked = request({
    port: path.port,
    path: `/api/proxy/${path.c1}/api/v1/pods?watch=1`,
    headers: { authorization: `Bearer ${token}` },
  });
  asked.on('response', (response) => {
    response.once('data', () => resolve({ cutAt: cut.promise }));
    response.on('data', () => undefined).on('error', () => undefined);
    response.once('close', () => cut.resolve(Date.now()));
  });
  asked.on('error', reject).end();
  return promise;
}

async function statusOf(path: WholePath, { token }: Holder): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request({
    port: path.port,
    path: `/api/proxy/${path.c1}/api/v1/pods`,
    headers: { authorization: `Bearer ${token}` },
  })
    .on('response', (response) => resolve((response.resume(), response.statusCode ?? 0)))
    .on('error', reject)
    .end();
  return promise;
}

type Round = { readonly streamMs: number; readonly refusedWith: number };

async function round(path: WholePath, number: number): Promise<Round> {
  const who: Claims = { sub: `person-${number}`, email: `person-${number}@corp.test` };
  const holder = await path.holder(who, ['dev']);
  const open = await watch(path, holder);
  const { status } = await path.rest(who, `DELETE /api/v1/auth/credentials/${holder.credentialId}`);
  if (status >= 300) throw new Error(`the revocation was answered with ${status}`);
  const [refusedWith, cutAt] = await Promise.all([statusOf(path, holder), open.cutAt]);
  const stream = credentialStream(holder.credentialId as CredentialId);
  const { facts } = await path.store.load<CredentialFact>(stream);
  const revoked = facts.find(({ type }) => type === 'credential.revoked');
  if (!revoked) throw new Error('the log does not hold the revocation');
  return { streamMs: cutAt - revoked.recordedAt.getTime(), refusedWith };
}

const path = await startWholePath();
path.api.answer = afterBody(({ response, target }) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  if (target.includes('watch=1')) response.write('{}\n');
  else response.end('{}');
});
const all: Round[] = [];
try {
  for (let number = 0; number < rounds; number += 1) all.push(await round(path, number));
} finally {
  await path.stop();
}
const sorted = all.map(({ streamMs }) => streamMs).toSorted((a, b) => a - b);
const admitted = all.filter(({ refusedWith }) => refusedWith !== 401).length;
console.log(`${rounds} revocations, from the log's own time to the cut of the open watch`);
console.log(`  median ${sorted[Math.floor(rounds / 2)]} ms, maximum ${sorted.at(-1)} ms (goal: 1000)`);
console.log(`  requests that got through after the acknowledgement: ${admitted} (must be 0)`);
process.exitCode = admitted === 0 ? 0 : 1;
