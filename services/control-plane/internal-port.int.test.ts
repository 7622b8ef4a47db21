import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start as startProjections } from '@clustral/projections/main.ts';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { otherKindsOfTokens, strangeTokens } from '@clustral/kernel/testing/strange-tokens.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { start } from './main.ts';
import { admin, issuer, prepareInstallation, RestClient, type Installation } from './testing/installation.ts';

const folder = mkdtempSync(join(tmpdir(), 'internal-port-'));
let server: RunningEventStore;
let installation: Installation;
let projections: Running;
let controlPlane: Running & { readonly port: number };
let client: RestClient;

beforeAll(async () => {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  installation = await prepareInstallation(join(folder, 'data'), server.connectionString);
  const log = createLog('test', 'silent');
  projections = await startProjections(installation.environment, log);
  controlPlane = await start(installation.environment, log);
  client = new RestClient(installation.gateway);
  client.port = controlPlane.port;
});

afterAll(async () => {
  await controlPlane.stop();
  await projections.stop();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const clusterId = randomUUID();
const person: Omit<InternalClaims, 'iat' | 'exp'> = { kind: 'internal', issuer, ...admin };
const credential: Omit<InternalClaims, 'iat' | 'exp'> = {
  kind: 'internal',
  sub: randomUUID(),
  cluster_id: clusterId,
  credential_id: randomUUID(),
};

/** Every way in, and whose token it would take. */
type Door = readonly [name: string, method: 'GET' | 'POST', path: string, letsIn: typeof person];
const doors: readonly Door[] = [
  ['the REST face', 'GET', '/api/v1/clusters', person],
  ['a command over REST', 'POST', '/api/v1/roles', person],
  ['the Connect face', 'POST', '/clustral.v1.ClusterService/ListClusters', person],
  ['the kubectl path', 'GET', `/api/proxy/${clusterId}/api/v1/pods`, credential],
];

const [clusters] = doors as readonly [Door];

async function statusAndCode(door: Door, headers: Record<string, string>): Promise<string> {
  const [, method, path] = door;
  const answer = await fetch(`http://127.0.0.1:${controlPlane.port}${path}`, {
    method,
    headers: { ...headers, ...(method === 'POST' ? { 'content-type': 'application/json' } : {}) },
    ...(method === 'POST' ? { body: '{}' } : {}),
  });
  const text = await answer.text();
  const code = answer.headers.get('x-clustral-error-code') ?? /[A-Z]+(?:_[A-Z]+)+/.exec(text)?.[0] ?? '';
  return `${answer.status} ${code}`;
}

describe.each(doors)('GW-16 %s of the internal port', (...door) => {
  const claims = door[3];

  it('is closed without a token', async () => {
    expect(await statusAndCode(door, {})).toBe('401 AUTHENTICATION_REQUIRED');
  });

  it('is closed to every token that is not whole', async () => {
    for (const [flaw, token] of Object.entries(await strangeTokens(claims, installation.keys.internal))) {
      expect(await statusAndCode(door, { 'x-internal-token': token }), flaw).toMatch(
        /^401 (?:INVALID_TOKEN|AUTHENTICATION_REQUIRED)$/,
      );
    }
  });

  it('ID-03 is closed to every other kind of token, in either header', async () => {
    for (const [kind, token] of Object.entries(await otherKindsOfTokens(installation.keys, clusterId))) {
      expect(await statusAndCode(door, { 'x-internal-token': token }), kind).toBe('401 INVALID_TOKEN');
      expect(await statusAndCode(door, { authorization: `Bearer ${token}` }), kind).toBe('401 AUTHENTICATION_REQUIRED');
    }
  });

  it('takes the good token in its own header only', async () => {
    const token = await client.token(claims);
    expect(await statusAndCode(door, { authorization: `Bearer ${token}` })).toBe('401 AUTHENTICATION_REQUIRED');
    expect(await statusAndCode(door, { cookie: `x-internal-token=${token}` })).toBe('401 AUTHENTICATION_REQUIRED');
    // Nobody stored the credential, so the kubectl path knows the token and refuses what it names.
    const letIn = door[2].startsWith('/api/proxy/') ? '401 CREDENTIAL_REVOKED' : /^(?:200|422) /;
    expect(await statusAndCode(door, { 'x-internal-token': token })).toMatch(letIn);
  });

  it('is closed to the token of the other door', async () => {
    const token = await client.token(claims === person ? credential : person);
    expect(await statusAndCode(door, { 'x-internal-token': token })).toMatch(/^401 /);
  });
});

describe('F-25 the clocks of gateway and control plane', () => {
  const token = (exp: number): Promise<string> =>
    installation.gateway.sign({ kind: 'internal', issuer, ...admin, iat: exp - 30, exp });
  const now = (): number => Math.floor(Date.now() / 1000);

  it('may differ by 25 s', async () => {
    expect(await statusAndCode(clusters, { 'x-internal-token': await token(now() - 25) })).toMatch(/^200 /);
  });

  it('are both named when they differ by more than the tolerated 30 s', async () => {
    const answer = await fetch(`http://127.0.0.1:${controlPlane.port}/api/v1/clusters`, {
      headers: { 'x-internal-token': await token(now() - 60) },
    });
    expect(answer.status).toBe(401);
    expect(((await answer.json()) as { detail: string }).detail).toMatch(
      /it ended at \d{4}-.*Z and the clock here says \d{4}-.*Z/,
    );
  });
});
