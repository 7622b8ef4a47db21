import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, ConnectError, Code } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  append,
  startLog,
  startProjector,
  type LogUnderTest,
  type RunningProjector,
} from '@clustral/projections/testing/rig.ts';
import { roleCreated } from '@clustral/projections/testing/people.ts';
import { Story } from '@clustral/projections/testing/story.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { AuditService } from '@clustral/schemas/gen/clustral/v1/audit_pb.ts';
import { gatewayIssuer, internalAudience, internalTokenHeader } from '@clustral/schemas/tokens.ts';
import { createSigner, type Signer } from '@clustral/kernel/jwt.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { start } from './main.ts';

const story = goldenSamples().map(({ fact }) => fact);
const dev = 'c2b4d6e8-1a3c-4e5f-9b7d-8f6e5d4c3b21';

type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { readonly events?: readonly Record<string, unknown>[] };
};

describe('the audit service', () => {
  let data: string;
  let log: LogUnderTest;
  let projector: RunningProjector;
  let service: Awaited<ReturnType<typeof start>>;
  let signer: Signer;
  let position: bigint;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'audit-'));
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeFile(join(data, 'key.pem'), publicKeyPem);
    signer = await createSigner({
      privateKeyPem,
      publicKeyPem,
      algorithm: 'ES256',
      issuer: gatewayIssuer,
      audience: internalAudience,
    });
    log = await startLog();
    position = await append(log.store, story);
    const tenYears = 3_650 * 86_400;
    projector = startProjector(log.store, join(data, 'read-models'), { now: () => new Date(), keepSeconds: tenYears });
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

  const token = (roles: readonly string[], kind = 'internal'): Promise<string> => {
    const iat = Math.floor(Date.now() / 1000);
    return signer.sign({ kind, sub: 's', issuer: 'i', roles: [...roles], iat, exp: iat + 30 });
  };
  const get = async (path: string, roles: readonly string[] | null = ['clustral-auditor']): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${service.port}/api/v1/audit${path}`, {
      headers: {
        ...(roles === null ? {} : { [internalTokenHeader]: await token(roles) }),
        'x-clustral-position': String(position),
      },
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
  };
  const eventsOf = async (path: string): Promise<readonly unknown[]> =>
    ((await get(path)).body.events ?? []).map(({ event }) => event);

  it('answers a page of events, newest first, with the total and from when on it is complete', async () => {
    const { status, headers, body } = await get('?pageSize=3');
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      total: story.length - 1,
      totalIsLowerBound: false,
      page: 1,
      pageSize: 3,
      completeFrom: expect.stringMatching(/^\d{4}-/),
    });
    const [newest] = body.events ?? [];
    expect(newest).toMatchObject({
      event: 'role.deleted',
      code: 'CRL003I',
      category: 'roles',
      severity: 'Info',
      success: true,
      user: 'ada@corp.example',
      message: "ada@corp.example deleted role 'k8s-viewer'",
      correlationId: expect.stringMatching(/^c0ffee/),
      position: String(position),
      staleEpoch: false,
      clusterId: '',
      metadata: { sourceAddress: '198.51.100.7' },
    });
  });

  it('gives every event once, by page and by cursor', async () => {
    const byPage: unknown[] = [];
    for (let page = 1; page <= 5; page += 1) {
      byPage.push(...((await get(`?pageSize=10&page=${page}`)).body.events ?? []).map(({ uid }) => uid));
    }
    const byCursor: unknown[] = [];
    for (let cursor: unknown = ''; ;) {
      const { body } = await get(`?pageSize=7&pageToken=${String(cursor)}`);
      byCursor.push(...(body.events ?? []).map(({ uid }) => uid));
      cursor = body['nextPageToken'];
      if (cursor === '') break;
    }
    expect(byCursor).toEqual(byPage);
    expect(new Set(byPage).size).toBe(story.length - 1);
  });

  it.each<[string, readonly string[]]>([
    ['category=roles', ['role.deleted', 'role.created', 'role.updated', 'role.created']],
    ['code=CPR002W', ['proxy.access_denied']],
    [
      'category=proxy&severity=Info',
      ['proxy.day_deleted', 'proxy.day_closed', 'proxy.request', 'proxy.request', 'proxy.request'],
    ],
    ['user=DEV@corp.example&category=auth', ['user.synced']],
    [`user=${dev}&code=CCR001I`, ['credential.issued']],
    ['user=dev&code=CCR001I', ['credential.issued']],
    ['user=nobody', []],
    ['user=(a%2B)%2B$', []],
    ['clusterId=b1d6f0a4-2c3e-4f58-8e1b-9a7c6d5e4f31&category=clusters', ['cluster.registered']],
    ['resourceId=7a1e5c90-4b3d-4c2f-8f6a-0b9d8e7c6a51', ['role.deleted', 'role.updated', 'role.created']],
    [
      'requestId=a0b1c2d3-e4f5-4061-8273-94a5b6c7d8e1',
      ['access_request.revoked', 'access_request.approved', 'access_request.created', 'proxy.request'],
    ],
    ['correlationId=c0ffee000000000001', []],
    ['text=web-0%20exec', ['proxy.request']],
    ['text=incident%20que', ['access_request.created']],
    ['text=ncident', []],
    ['text=unknown%20outco', ['proxy.request']],
  ])('finds by %s', async (query, events) => {
    const { body } = await get(`?${query}`);
    expect((body.events ?? []).map(({ event }) => event)).toEqual(events);
    expect(body['total']).toBe(events.length);
  });

  it('finds by time, both ends included', async () => {
    const [, second] = (await get('?pageSize=2')).body.events ?? [];
    const time = encodeURIComponent(String(second?.['time']));
    const found = (await get(`?from=${time}&to=${time}`)).body.events ?? [];
    expect(found.map(({ uid }) => uid)).toContain(second?.['uid']);
    expect(await eventsOf('?from=2036-01-01T00:00:00Z')).toEqual([]);
  });

  it('shows one event by its uid, in either case', async () => {
    const [newest] = (await get('?pageSize=1')).body.events ?? [];
    const uid = String(newest?.['uid']);
    expect((await get(`/${uid.toUpperCase()}`)).body).toEqual(newest);
  });

  it.each(['5e000000-0000-4000-8000-ffffffffffff', '$all', 'a-b', '..%2Fx', '%00', 'x'.repeat(200)])(
    'knows no event %s',
    async (uid) => {
      const { status, body } = await get(`/${uid}`);
      expect({ status, code: body['code'] }).toEqual({ status: 404, code: 'AUDIT_EVENT_NOT_FOUND' });
    },
  );

  it.each([
    ['user[$ne]=x', 'user[$ne]'],
    ['category[$gt]=', 'category[$gt]'],
    ['from[$where]=1', 'from[$where]'],
    ['clusterId=%7B%22$ne%22:null%7D', 'clusterId'],
    ['user=a&user=b', 'user'],
    ['category=proxy&category=roles', 'category'],
    ['usr=dev', 'usr'],
    ['__proto__=x', '__proto__'],
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=1e9', 'page'],
    ['page=NaN', 'page'],
    ['page=1.5', 'page'],
    ['pageSize=0', 'pageSize'],
    ['pageSize=201', 'pageSize'],
    ['from=yesterday', 'from'],
    ['from=2026-13-01T00:00:00Z', 'from'],
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ['pageToken=nonsense', 'pageToken'],
    ['severity=Fatal', 'severity'],
    ['text=%25', 'text'],
  ])('refuses ?%s', async (query, field) => {
    const { status, headers, body } = await get(`?${query}`);
    expect({ status, code: body['code'], field: body['field'] }).toEqual({
      status: 422,
      code: 'VALIDATION_ERROR',
      field,
    });
    expect(headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['nobody', null, 401],
    ['somebody without a role', [], 403],
    ['an ordinary user', ['clustral-user'], 403],
    ['an auditor', ['clustral-auditor'], 200],
    ['an administrator', ['clustral-admin'], 200],
  ])('answers %s', async (_, roles, status) => {
    expect((await get('?pageSize=1', roles)).status).toBe(status);
  });

  it('takes no token of another kind', async () => {
    const response = await fetch(`http://127.0.0.1:${service.port}/api/v1/audit`, {
      headers: { [internalTokenHeader]: await token(['clustral-admin'], 'service') },
    });
    expect(response.status).toBe(401);
  });

  it('answers by Connect as by REST', async () => {
    const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${service.port}`, httpVersion: '1.1' });
    const client = createClient(AuditService, transport);
    const headers = { [internalTokenHeader]: await token(['clustral-admin']) };
    const { events, total } = await client.listAuditEvents({ category: 'roles' }, { headers });
    expect(events.map(({ event }) => event)).toEqual(['role.deleted', 'role.created', 'role.updated', 'role.created']);
    expect(total).toBe(4);
    expect(await client.getAuditEvent({ uid: events[0]?.uid ?? '' }, { headers })).toEqual(events[0]);
    const refused = client.listAuditEvents({ pageSize: 0 }, { headers });
    await expect(refused).rejects.toSatisfy(
      (error) => error instanceof ConnectError && error.code === Code.InvalidArgument,
    );
  });

  it('includes the change whose position the caller carries', async () => {
    const [fact] = new Story().tell('role-late', roleCreated('late', 'latecomer')).facts;
    if (!fact) throw new Error('nothing was told');
    position = await append(log.store, [{ ...fact, id: crypto.randomUUID() }]);
    expect(await eventsOf('?text=latecomer')).toEqual(['role.created']);
  });

  it('says with every answer how far what it shows may be behind the log', async () => {
    const lagOf = async (path: string) => (await get(path)).headers.get('x-clustral-lag');
    // The projector asks the log where it is every two seconds.
    await expect.poll(() => lagOf('?pageSize=1'), { timeout: 10_000 }).toBe('0');
    const [newest] = (await get('?pageSize=1')).body.events ?? [];
    expect(await lagOf(`/${String(newest?.['uid'])}`)).toBe('0');
    expect(await lagOf('?pageSize=0')).toBeNull();
    let told: string | null = null;
    const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${service.port}`, httpVersion: '1.1' });
    const onHeader = (headers: Headers): void => void (told = headers.get('x-clustral-lag'));
    const headers = { [internalTokenHeader]: await token(['clustral-auditor']) };
    await createClient(AuditService, transport).listAuditEvents({}, { headers, onHeader });
    expect(told).toBe('0');
  });

  it('is ready', async () => {
    expect((await fetch(`http://127.0.0.1:${service.port}/healthz/ready`)).status).toBe(200);
  });
});

describe('the audit service before the read models were built', () => {
  it('is alive, not ready, and says so', async () => {
    const data = await mkdtemp(join(tmpdir(), 'audit-'));
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(join(data, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    const environment = {
      CLUSTRAL_ENV: 'embedded',
      CLUSTRAL_DATA: data,
      INTERNAL_JWT_PUBLIC_KEY_PATH: join(data, 'key.pem'),
      PORT: '0',
    };
    const service = await start(environment, createLog('audit', 'silent'));
    try {
      expect((await fetch(`http://127.0.0.1:${service.port}/healthz`)).status).toBe(200);
      const ready = await fetch(`http://127.0.0.1:${service.port}/healthz/ready`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).toContain('still being built');
    } finally {
      await service.stop();
      await rm(data, { recursive: true });
    }
  });
});
