import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProxyFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, RoleId } from '@clustral/schemas/ids.ts';
import { directAgents, startRecorder, type Recorder } from './testing/recorder.ts';
import { sendRaw, type RawAnswer } from './testing/raw-client.ts';
import { startProxy, startWorld, until, type Listening, type Person, type World } from './testing/world.ts';

let world: World;
let recorder: Recorder;
let proxy: Listening;
let c1: ClusterId;
let c2: ClusterId;
let noAgent: ClusterId;
let role: RoleId;
let alice: Person;

beforeAll(async () => {
  world = await startWorld();
  recorder = await startRecorder();
  c1 = await world.cluster('c1');
  c2 = await world.cluster('c2');
  noAgent = await world.cluster('lonely');
  role = await world.role('viewer', ['a', 'b', 'CN=ops team,OU=x']);
  alice = await world.person({ name: 'alice@corp.test', clusterId: c1, roleId: role });
  proxy = await startProxy(
    world,
    directAgents(
      new Map([
        [c1, recorder.port],
        [c2, recorder.port],
      ]),
    ),
    { headTimeoutMs: 1_000 },
  );
});

afterAll(async () => {
  await proxy.stop();
  await recorder.stop();
  await world.stop();
});

beforeEach(() => {
  recorder.seen.length = 0;
  recorder.answerWith((_request, response) => response.end('{}'));
});

type Ask = {
  readonly target: string;
  readonly method?: string;
  readonly token?: string;
  readonly headers?: string;
  readonly body?: string;
};

/** A raw request; `target` and `headers` are bytes. */
function ask({ target, method = 'GET', token = alice.token, headers = '', body = '' }: Ask): Promise<RawAnswer> {
  const connection = headers.includes('Connection:') ? '' : 'Connection: close\r\n';
  return sendRaw(
    proxy.port,
    `${method} ${target} HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${token}\r\n${connection}${headers}\r\n${body}`,
  );
}

const at = (rest: string, clusterId: string = c1): string => `/api/proxy/${clusterId}${rest}`;

/** Status and code, with the shape that every refusal has (I4). */
function refusal(answer: RawAnswer): string {
  const [code = ''] = answer.headers.get('x-clustral-error-code') ?? [];
  expect(answer.headers.get('content-type')).toEqual(['text/plain; charset=utf-8']);
  expect(answer.headers.get('link')?.[0]).toMatch(/^<https:\/\/clustral\.test\/errors\/[a-z-]+>; rel="help"$/);
  expect(answer.headers.get('x-correlation-id')).toHaveLength(1);
  expect(answer.headers.get('traceresponse')).toHaveLength(1);
  expect(answer.body).toMatch(/^[^\n]+\n$/);
  return `${answer.status} ${code}`;
}

async function recordOf(clusterId: ClusterId | null, matches: (fact: ProxyFact) => boolean): Promise<ProxyFact> {
  let found: ProxyFact | undefined;
  await until(
    'the record is in the log',
    async () => {
      found = (await world.records(clusterId)).find(matches);
      return found !== undefined;
    },
    2_000,
  );
  return found as ProxyFact;
}

describe('a request that is allowed', () => {
  it('PX-14 arrives as the person, with each group by itself', async () => {
    const answer = await ask({ target: at('/api/v1/namespaces/default/pods?limit=500') });
    expect(answer.status).toBe(200);
    expect(recorder.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /api/v1/namespaces/default/pods?limit=500',
    ]);
    expect(recorder.last('impersonate-user')).toEqual(['alice@corp.test']);
    expect(recorder.last('impersonate-group')).toEqual(['a', 'b', 'CN=ops team,OU=x']);
    expect(recorder.last('authorization')).toEqual(['Bearer agent']);
    expect(recorder.last('x-internal-token')).toEqual([]);
  });

  it('D19 is called by the id of its record in the cluster', async () => {
    await ask({ target: at('/api/v1/nodes'), headers: 'Audit-ID: mine\r\n' });
    const [auditId] = recorder.last('audit-id');
    const record = await recordOf(c1, ({ type, data }) => type === 'proxy.request' && data.requestId === auditId);
    expect(record.data).toMatchObject({
      phase: 'ended',
      strict: false,
      userId: alice.userId,
      credentialId: alice.credentialId,
      roleId: role,
      request: { verb: 'list', resource: 'nodes', recognised: true },
      outcome: { status: 200, end: 'completed', errorCode: null, bytesSent: 2, bytesReceived: 0 },
    });
  });

  it('carries a body up and an answer down', async () => {
    recorder.answerWith((request, response) => void request.pipe(response));
    const answer = await ask({
      method: 'POST',
      target: at('/api/v1/namespaces/n/configmaps'),
      headers: 'Content-Type: application/json\r\nContent-Length: 7\r\n',
      body: '{"a":1}',
    });
    expect(answer.body).toContain('{"a":1}');
    expect(recorder.last('content-length')).toEqual(['7']);
  });

  it('answers HEAD, 204 and 304 without a body', async () => {
    recorder.answerWith((_request, response) => response.writeHead(200, { 'content-length': '5' }).end());
    const head = await ask({ method: 'HEAD', target: at('/api/v1/pods') });
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, ['5'], '']);
    for (const status of [204, 304]) {
      recorder.answerWith((_request, response) => response.writeHead(status).end());
      const answer = await ask({ target: at('/api/v1/pods') });
      expect([answer.status, answer.body, answer.headers.get('transfer-encoding')]).toEqual([status, '', undefined]);
    }
  });

  it('PX-26 is a record of its own, whatever correlation id it shares', async () => {
    await Promise.all(
      Array.from({ length: 100 }, () => ask({ target: at('/api/v1/pods'), headers: 'X-Correlation-Id: shared\r\n' })),
    );
    const shared = async (): Promise<readonly { readonly id: string }[]> =>
      (await world.records(c1)).filter(({ metadata }) => metadata.$correlationId === 'shared');
    await until('all are on record', async () => (await shared()).length >= 100);
    expect(new Set((await shared()).map(({ id }) => id)).size).toBe(100);
  });
});

describe('attacks on the address', () => {
  it.each([
    ['x', 'x'],
    ['braces', '{5f0c7a6e-1b1f-4a53-8f5c-0d8a1f2b3c4d}'],
    ['nothing', ''],
    ['10,000 letters', 'a'.repeat(10_000)],
  ])('PX-01 refuses %s as a cluster id', async (_, id) => {
    expect(refusal(await ask({ target: at('/api', id) }))).toBe('400 INVALID_CLUSTER_ID');
    expect(recorder.seen).toEqual([]);
  });

  it('PX-01 takes upper-case hex as the same id', async () => {
    expect((await ask({ target: at('/api/v1/pods', c1.toUpperCase()) })).status).toBe(200);
  });

  it('PX-02 refuses the credential of another cluster', async () => {
    expect(refusal(await ask({ target: at('/api', c2) }))).toBe('403 CLUSTER_MISMATCH');
    const record = await recordOf(c2, ({ type }) => type === 'proxy.access_denied');
    expect(record.data).toMatchObject({ errorCode: 'CLUSTER_MISMATCH', status: 403, userId: alice.userId, count: 1 });
    expect(recorder.seen).toEqual([]);
  });

  it('PX-09 refuses traversal', async () => {
    for (const rest of [`/../${c2}/api`, '/%2e%2e/x', '/%2E./x', '/..%2fx', '/..%5cx', '/.;/x', '/x/..'])
      expect(refusal(await ask({ target: at(rest) }))).toBe('400 INVALID_PATH');
    expect(recorder.seen).toEqual([]);
    expect((await ask({ target: at('/%252e%252e/x') })).status).toBe(200);
    expect(recorder.seen.map(({ target }) => target)).toEqual(['/%252e%252e/x']);
  });

  it('PX-10 PX-11 passes path and query on byte for byte', async () => {
    const targets = [
      '/api/v1/namespaces/n/services/https:foo:443/proxy/a%2Fb//c;x=1?x=%26&y=+%20&watch=1',
      '/a%3Fb%23c',
      '//EVIL:9/x',
      '/\\EVIL/x',
      '/http://EVIL/',
    ];
    for (const target of targets) expect((await ask({ target: at(target) })).status).toBe(200);
    expect(recorder.seen.map(({ target }) => target)).toEqual(targets);
    expect(refusal(await ask({ target: `/api/proxy/${c1}@EVIL/` }))).toBe('400 INVALID_CLUSTER_ID');
  });

  it('PX-23 reflects nothing of a hostile id but harmless text', async () => {
    for (const id of ['<img_onerror=1>', '%1b[2J', '%0d%0aSet-Cookie:a']) {
      const answer = await ask({ target: at('/api', id) });
      expect(refusal(answer)).toBe('400 INVALID_CLUSTER_ID');
      expect(answer.headers.get('x-content-type-options')).toEqual(['nosniff']);
      expect(answer.headers.has('set-cookie')).toBe(false);
    }
  });
});

describe('attacks by header', () => {
  it.each([
    'Impersonate-User: admin\r\n',
    'Impersonate-Group: system:masters\r\n',
    'Impersonate-Group: a\r\nImpersonate-Group: system:masters\r\n',
    'impersonate-user: admin\r\n',
    'IMPERSONATE-GROUP: system:masters\r\n',
  ])('PX-03 refuses %j', async (headers) => {
    expect(refusal(await ask({ target: at('/api'), headers }))).toBe('403 IMPERSONATION_NOT_ALLOWED');
    expect(recorder.seen).toEqual([]);
  });

  it.each([
    'Impersonate-Uid: 0\r\n',
    'Impersonate-Extra-Scopes: x\r\n',
    'Impersonate-Extra-acme.com%2Fp: y\r\n',
    'Impersonate_Group: a\r\n',
    'Impersonate-Anything-New: 1\r\n',
    'Connection: close, Impersonate-Group\r\nImpersonate-Group: system:masters\r\n',
  ])('PX-04 refuses %j', async (headers) => {
    expect(refusal(await ask({ target: at('/api'), headers }))).toBe('403 IMPERSONATION_NOT_ALLOWED');
    expect(recorder.seen).toEqual([]);
  });

  it('PX-05 PX-06 PX-07 PX-08 lets none of the others arrive', async () => {
    const headers = [
      'X-Clustral-Impersonate-Group: system:masters',
      'X-Clustral-Impersonate-User: admin',
      'Connection: close, Impersonate-User, Impersonate-Group, Authorization, X-Internal-Token, X-Foo',
      'X-Foo: 1',
      'TE: trailers',
      'Keep-Alive: 5',
      'Proxy-Connection: x',
      'Cookie: a=b',
      'Authorization: Bearer forged',
      'Proxy-Authorization: x',
      'X-Remote-User: admin',
      'X-Remote-Group: system:masters',
      'X-Remote-Extra-a: b',
      `Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${'a'.repeat(20)}, v4.channel.k8s.io`,
      'Accept: application/json',
      'Accept: text/plain',
    ].join('\r\n');
    expect((await ask({ target: at('/api/v1/pods'), headers: `${headers}\r\n` })).status).toBe(200);
    const names = (recorder.seen[0]?.rawHeaders ?? [])
      .filter((_, index) => index % 2 === 0)
      .map((n) => n.toLowerCase());
    const expected = ['accept', 'accept', 'audit-id', 'authorization', 'connection', 'host'];
    expected.push(
      'impersonate-group',
      'impersonate-group',
      'impersonate-group',
      'impersonate-user',
      'sec-websocket-protocol',
    );
    expect(names.toSorted()).toEqual(expected);
    expect(recorder.last('authorization')).toEqual(['Bearer agent']);
    expect(recorder.last('impersonate-user')).toEqual(['alice@corp.test']);
    expect(recorder.last('sec-websocket-protocol')).toEqual(['v4.channel.k8s.io']);
  });

  it('PX-07 lets no trailer arrive', async () => {
    const answer = await ask({
      method: 'POST',
      target: at('/api/v1/namespaces/n/pods'),
      headers: 'Transfer-Encoding: chunked\r\nTrailer: Impersonate-Group\r\n',
      body: '2\r\n{}\r\n0\r\nImpersonate-Group: system:masters\r\n\r\n',
    });
    expect(answer.status).toBe(200);
    await until('the body has arrived', () => recorder.seen[0]?.body.toString() === '{}');
    expect(recorder.last('impersonate-group')).toEqual(['a', 'b', 'CN=ops team,OU=x']);
    expect(recorder.last('trailer')).toEqual([]);
  });
});

describe('tokens', () => {
  it('PX-22 GW-16 takes nothing but the internal token of a kubeconfig credential', async () => {
    const oidc = await world.sign({ sub: 'subject', issuer: 'https://idp.test', roles: ['clustral-admin'] });
    const service = await world.sign({ kind: 'service', sub: 'clustral-gateway' });
    const old = await world.sign({ sub: alice.userId, cluster_id: c1, credential_id: alice.credentialId }, -61);
    for (const token of [oidc, service, old, 'e30.e30.', `${alice.token.slice(0, -4)}AAAA`])
      expect(refusal(await ask({ target: at('/api?token=abc&access_token=def'), token }))).toBe('401 INVALID_TOKEN');
    const none = await sendRaw(
      proxy.port,
      `GET ${at('/api')} HTTP/1.1\r\nHost: x\r\nCookie: s=1\r\nConnection: close\r\n\r\n`,
    );
    expect(refusal(none)).toBe('401 AUTHENTICATION_REQUIRED');
    expect(recorder.seen).toEqual([]);
    const record = await recordOf(c1, ({ data }) => 'errorCode' in data && data.errorCode === 'INVALID_TOKEN');
    expect(record.data).toMatchObject({ status: 401, userId: null, path: at('/api?token=&access_token=') });
  });

  it('ID-05 denies a credential that is on no record, or on that of somebody else', async () => {
    const unknown = await world.sign({ sub: alice.userId, cluster_id: c1, credential_id: randomUUID() });
    const foreign = await world.sign({ sub: randomUUID(), cluster_id: c1, credential_id: alice.credentialId });
    for (const token of [unknown, foreign])
      expect(refusal(await ask({ target: at('/api'), token }))).toBe('401 CREDENTIAL_REVOKED');
  });
});

describe('a person without a role', () => {
  it('PX-13 is refused, and the cluster hears nothing', async () => {
    const bob = await world.person({ name: 'bob@corp.test', clusterId: c1 });
    const answer = await ask({ target: at('/api/v1/namespaces/default/pods'), token: bob.token });
    expect(refusal(answer)).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(answer.body).toContain("bob@corp.test has no active role on cluster 'c1'.");
    expect(recorder.seen).toEqual([]);
    const record = await recordOf(c1, ({ data }) => 'errorCode' in data && data.userId === bob.userId);
    expect(record).toMatchObject({
      type: 'proxy.access_denied',
      data: { errorCode: 'NO_ROLE_ASSIGNMENT', status: 403 },
    });
  });

  it('D20 is told the built-in resources, from here', async () => {
    const bob = await world.person({ name: 'bob2@corp.test', clusterId: c1 });
    const answer = await ask({ target: at('/apis/apps/v1?timeout=32s'), token: bob.token });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, ['application/json']]);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' });
    expect(refusal(await ask({ target: at('/openapi/v3'), token: bob.token }))).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(recorder.seen).toEqual([]);
  });
});

describe('when the cluster does not answer as it should', () => {
  it('PX-16 says within a second that the agent is not connected, and it is on record', async () => {
    const carol = await world.person({ name: 'carol@corp.test', clusterId: noAgent, roleId: role });
    const began = performance.now();
    const answer = await ask({ target: at('/api/v1/pods', noAgent), token: carol.token });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(refusal(answer)).toBe('502 AGENT_NOT_CONNECTED');
    const record = await recordOf(noAgent, ({ type }) => type === 'proxy.request');
    expect(record.data).toMatchObject({
      phase: 'ended',
      outcome: { status: 502, end: 'agent_lost', errorCode: 'AGENT_NOT_CONNECTED' },
    });
  });

  it("PX-27 does not blame the person for the agent's own 401", async () => {
    recorder.answerWith((_request, response) => response.writeHead(401).end('Unauthorized'));
    expect(refusal(await ask({ target: at('/api/v1/pods') }))).toBe('502 AGENT_ERROR');
    const proxied = await ask({ target: at('/api/v1/namespaces/n/services/s/proxy/login') });
    expect([proxied.status, proxied.headers.get('x-clustral-upstream')]).toEqual([401, ['service']]);
  });

  it('PX-12 follows no redirect and passes none on that leads elsewhere', async () => {
    for (const location of ['http://127.0.0.1:1/', '//EVIL/']) {
      recorder.answerWith((_request, response) => response.writeHead(302, { location }).end());
      expect(refusal(await ask({ target: at('/api/v1/pods') }))).toBe('502 AGENT_ERROR');
    }
    expect(recorder.seen).toHaveLength(2);
    recorder.answerWith((_request, response) => response.writeHead(307, { location: '/apis/x' }).end());
    expect((await ask({ target: at('/api') })).headers.get('location')).toEqual([`/api/proxy/${c1}/apis/x`]);
  });

  it('PX-21 drops headers that would act on our own origin', async () => {
    recorder.answerWith((_request, response) => {
      response.setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.setHeader('Warning', ['299 - "a"', '299 - "b"']);
      response.setHeader('X-Clustral-Error-Code', 'X');
      response.end('<script>alert(1)</script>');
    });
    const { headers } = await ask({ target: at('/api/v1/pods') });
    expect(headers.get('warning')).toEqual(['299 - "a"', '299 - "b"']);
    expect([headers.get('set-cookie'), headers.get('x-clustral-error-code')]).toEqual([undefined, undefined]);
    expect(headers.get('content-security-policy')).toEqual(['sandbox']);
    expect(headers.get('x-content-type-options')).toEqual(['nosniff']);
  });

  it('PX-17 gives up when the head does not come', async () => {
    recorder.answerWith(() => undefined);
    const began = performance.now();
    expect(refusal(await ask({ target: at('/api/v1/pods') }))).toBe('504 TUNNEL_TIMEOUT');
    expect(performance.now() - began).toBeLessThan(2_000);
    await until('the cluster sees the connection go', () => recorder.seen[0]?.closed === true, 1_000);
  });
});
