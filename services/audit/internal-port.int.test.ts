import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startLog,
  startProjector,
  type LogUnderTest,
  type RunningProjector,
} from '@clustral/projections/testing/rig.ts';
import { gatewayIssuer, internalAudience } from '@clustral/schemas/tokens.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { otherKindsOfTokens, strangeTokens } from '@clustral/kernel/testing/strange-tokens.ts';
import { createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { start } from './main.ts';

const auditor = { kind: 'internal', sub: 's', issuer: 'i', roles: ['clustral-auditor'] } as const;
let data: string;
let keys: KeyPair;
let log: LogUnderTest;
let projector: RunningProjector;
let service: Awaited<ReturnType<typeof start>>;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'audit-'));
  keys = await createKeyPair('P-256');
  await writeFile(join(data, 'key.pem'), keys.publicKeyPem);
  log = await startLog();
  projector = startProjector(log.store, join(data, 'read-models'));
  const environment = {
    CLUSTRAL_ENV: 'embedded',
    CLUSTRAL_DATA: data,
    INTERNAL_JWT_PUBLIC_KEY_PATH: join(data, 'key.pem'),
    PORT: '0',
  };
  service = await start(environment, createLog('audit', 'silent'));
});

afterAll(async () => {
  await service.stop();
  await projector.stop();
  await log.stop();
  await rm(data, { recursive: true });
});

type Door = readonly [name: string, method: 'GET' | 'POST', path: string];
const doors: readonly Door[] = [
  ['the REST face', 'GET', '/api/v1/audit'],
  ['one event over REST', 'GET', '/api/v1/audit/5e000000-0000-4000-8000-ffffffffffff'],
  ['the Connect face', 'POST', '/clustral.v1.AuditService/ListAuditEvents'],
];

async function statusOf([, method, path]: Door, headers: Record<string, string>): Promise<number> {
  const json = method === 'POST' ? { 'content-type': 'application/json' } : {};
  const answer = await fetch(`http://127.0.0.1:${service.port}${path}`, {
    method,
    headers: { ...headers, ...json },
    ...(method === 'POST' ? { body: '{}' } : {}),
  });
  await answer.text();
  return answer.status;
}

describe.each(doors)('GW-16 %s of the audit service', (...door) => {
  it('is closed without a token and to every token that is not whole', async () => {
    expect(await statusOf(door, {})).toBe(401);
    for (const [flaw, token] of Object.entries(await strangeTokens(auditor, keys)))
      expect(await statusOf(door, { 'x-internal-token': token }), flaw).toBe(401);
  });

  it('ID-03 is closed to every other kind of token, in either header', async () => {
    const others = { kubeconfig: await createKeyPair('P-256'), agent: await createKeyPair('RSA-2048') };
    for (const [kind, token] of Object.entries(await otherKindsOfTokens(others, 'c1'))) {
      expect(await statusOf(door, { 'x-internal-token': token }), kind).toBe(401);
      expect(await statusOf(door, { authorization: `Bearer ${token}` }), kind).toBe(401);
    }
  });

  it('takes the good token in its own header only', async () => {
    const signer = await createSigner({
      ...keys,
      algorithm: 'ES256',
      issuer: gatewayIssuer,
      audience: internalAudience,
    });
    const iat = Math.floor(Date.now() / 1000);
    const token = await signer.sign({ ...auditor, roles: [...auditor.roles], iat, exp: iat + 30 });
    expect(await statusOf(door, { authorization: `Bearer ${token}` })).toBe(401);
    expect([200, 404, 400]).toContain(await statusOf(door, { 'x-internal-token': token }));
  });
});
