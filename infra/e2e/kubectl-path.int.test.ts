import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { afterBody, type Recorded } from '@clustral/agent/testing/api-server.ts';
import { linesOf } from '@clustral/agent/testing/header-lines.ts';
import { statusOf } from '@clustral/gateway/testing/gateway.ts';
import { proxyStream, utcDay, type ProxyFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { admin, startWholePath, type Claims, type Holder, type WholePath } from './parts/whole-path.ts';

let path: WholePath;
let alice: Holder;
const groups = ['a', 'b', 'CN=ops team,OU=x'];

beforeAll(async () => {
  path = await startWholePath();
  alice = await path.holder({ sub: 'alice', email: 'alice@corp.test' }, groups);
});
afterAll(() => path.stop());
beforeEach(() => {
  path.api.requests.length = 0;
  path.api.answer = ({ response }) => response.end('{}');
});

/** What must hold after every attack: everybody lives, nobody was called, and what arrived came from the agent in one name. */
afterEach(async () => {
  expect(await path.alive()).toEqual([200, 200]);
  expect(path.evil.connections()).toBe(0);
  for (const { headers } of arrived()) {
    expect(linesOf(headers, 'authorization')).toEqual(['Bearer service-account-token']);
    expect(linesOf(headers, 'impersonate-user')).toHaveLength(1);
    const names = headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    const foreign = /^(?:cookie|x-internal-token|x-clustral-.*|x-remote-.*|impersonate-(?!user$|group$).*)$/;
    expect(names.filter((name) => foreign.test(name))).toEqual([]);
  }
});

const arrived = (): readonly Recorded[] => path.api.proxied;
const at = (rest: string, clusterId: string = path.c1): string => `/api/proxy/${clusterId}${rest}`;

type Asked = { method?: string; token?: string; headers?: readonly string[]; body?: string };

/** One raw request with a credential, to the public port. */
function ask(
  target: string,
  { method = 'GET', token = alice.token, headers = [], body = '' }: Asked = {},
): Promise<string> {
  const own = headers.some((line) => line.startsWith('Connection:')) ? [] : ['Connection: close'];
  const lines = [`Host: x`, `Authorization: Bearer ${token}`, ...own, ...headers];
  return path.raw(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

const codeOf = (answer: string): string =>
  `${statusOf(answer)} ${/x-clustral-error-code: (\S+)/i.exec(answer)?.[1] ?? ''}`.trimEnd();

describe('the address', () => {
  it.each<[string, () => string]>([
    ['x', () => 'x'],
    ['braces', () => `{${path.c1}}`],
    ['no dashes', () => path.c1.replaceAll('-', '')],
    ['a letter that is no digit', () => `${path.c1.slice(0, -1)}g`],
    ['nothing', () => ''],
    ['10,000 letters', () => 'a'.repeat(10_000)],
  ])('PX-01 with %s as the id is refused', async (_, id) => {
    expect(codeOf(await ask(at('/api', id())))).toBe('400 INVALID_CLUSTER_ID');
    expect(arrived()).toEqual([]);
  });

  it('PX-01 with the id in capitals is the same cluster', async () => {
    expect(codeOf(await ask(at('/api', path.c1.toUpperCase())))).toBe('200');
    expect(arrived()).toHaveLength(1);
  });

  it('PX-02 of another cluster than the credential is for is refused', async () => {
    expect(codeOf(await ask(at('/api', path.c2)))).toBe('403 CLUSTER_MISMATCH');
    expect(arrived()).toEqual([]);
  });

  it('PX-09 with a dot segment in any spelling is refused', async () => {
    for (const rest of [`/../${path.c2}/api`, '/%2e%2e/x', '/%2E./x', '/..%2fx', '/..%5cx', '/.;/x', '/x/..'])
      expect(codeOf(await ask(at(rest))), rest).toBe('400 INVALID_PATH');
    expect(arrived()).toEqual([]);
    expect(codeOf(await ask(at('/%252e%252e/x')))).toBe('200');
    expect(arrived().map(({ target }) => target)).toEqual(['/%252e%252e/x']);
  });

  it('PX-10 PX-11 goes on byte for byte, also when it looks like another host', async () => {
    const { address } = path.evil;
    const targets = [
      '/api/v1/namespaces/n/services/https:foo:443/proxy/a%2Fb//c;x=1?x=%26&y=+%20&watch=1',
      '/a%3Fb%23c',
      `//${address}/x`,
      `/\\${address}/x`,
      `/http://${address}/`,
    ];
    for (const target of targets) expect(codeOf(await ask(at(target))), target).toBe('200');
    expect(arrived().map(({ target }) => target)).toEqual(targets);
  });

  it('PX-11 that hides a host in the id or in a blank is refused', async () => {
    expect(codeOf(await ask(`/api/proxy/${path.c1}@${path.evil.address}/`))).toBe('400 INVALID_CLUSTER_ID');
    for (const odd of ['\t', '\r']) expect(statusOf(await ask(at(`/a${odd}b`)))).toBe(400);
    expect(arrived()).toEqual([]);
  });
});

describe("a client's own headers", () => {
  it.each([
    ['PX-03', ['Impersonate-User: admin']],
    ['PX-03', ['Impersonate-Group: system:masters']],
    ['PX-03', ['Impersonate-Group: a', 'Impersonate-Group: system:masters']],
    ['PX-03', ['impersonate-user: admin']],
    ['PX-03', ['IMPERSONATE-GROUP: system:masters']],
    ['PX-04', ['Impersonate-Uid: 0']],
    ['PX-04', ['Impersonate-Extra-Scopes: x']],
    ['PX-04', ['Impersonate-Extra-acme.com%2Fp: y']],
    ['PX-04', ['Impersonate_Group: system:masters']],
    ['PX-04', ['Impersonate-Anything-New: 1']],
    ['PX-04', ['Connection: close, Impersonate-Group', 'Impersonate-Group: system:masters']],
  ])('%s: %j are refused and nothing arrives', async (_, headers) => {
    expect(codeOf(await ask(at('/api'), { headers }))).toBe('403 IMPERSONATION_NOT_ALLOWED');
    expect(arrived()).toEqual([]);
  });

  it('PX-05 PX-08 that claim somebody else do not arrive, and have no effect', async () => {
    const bearer = `base64url.bearer.authorization.k8s.io.${Buffer.from(alice.token).toString('base64url')}`;
    const headers = [
      'X-Clustral-Impersonate-Group: system:masters',
      'X-Clustral-Impersonate-User: admin',
      'Cookie: a=b',
      'X-Remote-User: admin',
      'X-Remote-Group: system:masters',
      'X-Remote-Extra-a: b',
      'Proxy-Authorization: Basic eA==',
      `Sec-WebSocket-Protocol: ${bearer}, v5.channel.k8s.io`,
    ];
    expect(codeOf(await ask(at('/api/v1/pods'), { headers }))).toBe('200');
    const [request] = arrived();
    expect(linesOf(request?.headers ?? [], 'impersonate-user')).toEqual(['alice@corp.test']);
    expect(linesOf(request?.headers ?? [], 'impersonate-group')).toEqual(groups);
    expect(linesOf(request?.headers ?? [], 'proxy-authorization')).toEqual([]);
    expect(linesOf(request?.headers ?? [], 'sec-websocket-protocol')).toEqual(['v5.channel.k8s.io']);
  });

  it("PX-06 cannot list the server's own away", async () => {
    const headers = ['Connection: close, Impersonate-User, Impersonate-Group, Authorization, X-Internal-Token'];
    expect(codeOf(await ask(at('/api/v1/pods'), { headers }))).toBe('200');
    expect(linesOf(arrived()[0]?.headers ?? [], 'impersonate-user')).toEqual(['alice@corp.test']);
    expect(linesOf(arrived()[0]?.headers ?? [], 'impersonate-group')).toEqual(groups);
  });

  it('PX-07 of one hop end there, trailers too', async () => {
    path.api.answer = afterBody(({ response }) => response.end('{}'));
    const answer = await ask(at('/api/v1/namespaces/n/configmaps'), {
      method: 'POST',
      headers: [
        'Transfer-Encoding: chunked',
        'Trailer: Impersonate-Group',
        'TE: trailers',
        'Keep-Alive: timeout=5',
        'Proxy-Connection: keep-alive',
        'Connection: close, X-Foo',
        'X-Foo: 1',
      ],
      body: '2\r\n{}\r\n0\r\nImpersonate-Group: system:masters\r\n\r\n',
    });
    expect(codeOf(answer)).toBe('200');
    const [request] = arrived();
    expect(request?.body.toString()).toBe('{}');
    expect(linesOf(request?.headers ?? [], 'impersonate-group')).toEqual(groups);
    for (const name of ['te', 'trailer', 'keep-alive', 'proxy-connection', 'x-foo', 'transfer-encoding'])
      expect(linesOf(request?.headers ?? [], name), name).toEqual([]);
  });
});

describe('a redirect from the cluster', () => {
  it.each([302, 307, 308])('PX-12 with %i is followed by nobody and not passed on', async (status) => {
    for (const location of [`http://${path.evil.address}/`, `//${path.evil.address}/`]) {
      path.api.requests.length = 0;
      path.api.answer = ({ response }) => response.writeHead(status, { location }).end();
      const answer = await ask(at('/api/v1/pods'));
      expect(codeOf(answer)).toBe('502 AGENT_ERROR');
      expect(answer).not.toContain(path.evil.address);
      expect(arrived()).toHaveLength(1);
    }
  });

  it('PX-12 to a place of its own gets the prefix of the cluster', async () => {
    path.api.answer = ({ response }) => response.writeHead(307, { location: '/apis/x' }).end();
    expect(await ask(at('/api'))).toMatch(new RegExp(`location: /api/proxy/${path.c1}/apis/x\r\n`, 'i'));
  });
});

describe('who a request is made as', () => {
  it('PX-13 is nobody without a role, or when the role was deleted', async () => {
    const bob = await path.holder({ sub: 'bob', email: 'bob@corp.test' });
    expect(codeOf(await ask(at('/api/v1/pods'), bob))).toBe('403 NO_ROLE_ASSIGNMENT');
    const made = await path.rest(admin, 'POST /api/v1/roles', { name: 'for-a-while', k8sGroups: ['g'] });
    const { id: roleId } = made.json;
    await path.rest(admin, `POST /api/v1/users/${bob.userId}/assignments`, { roleId, clusterId: path.c1 });
    expect(codeOf(await ask(at('/api/v1/pods'), bob))).toBe('200');
    expect((await path.rest(admin, `DELETE /api/v1/roles/${String(roleId)}`)).status).toBe(204);
    expect(codeOf(await ask(at('/api/v1/pods'), bob))).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(arrived()).toHaveLength(1);
  });

  it('PX-14 is every group of the role, each on a line of its own', async () => {
    expect(codeOf(await ask(at('/api/v1/pods')))).toBe('200');
    expect(linesOf(arrived()[0]?.headers ?? [], 'impersonate-group')).toEqual(groups);
  });

  it.each(['a\r\nImpersonate-Group: b', ' a', 'a ', 'x'.repeat(300), 'system:nodes', 'system:kube-controller-manager'])(
    'PX-14 is never the group %j, which no role may have',
    async (group) => {
      const body = { name: `r-${randomUUID().slice(0, 8)}`, k8sGroups: ['ok', group] };
      const { status, json } = await path.rest(admin, 'POST /api/v1/roles', body);
      expect([status, json['code'], json['field']]).toEqual([422, 'VALIDATION_ERROR', 'k8sGroups']);
    },
  );

  it('PX-14 may be system:masters', async () => {
    const body = { name: 'masters', k8sGroups: ['system:masters'] };
    expect((await path.rest(admin, 'POST /api/v1/roles', body)).status).toBe(201);
  });

  it.each([
    ['josé@x', 'jos\xc3\xa9@x', 'jos%C3%A9@x'],
    ['山@x', '\xe5\xb1\xb1@x', '%E5%B1%B1@x'],
    ['a b@x', 'a b@x', 'a b@x'],
  ])('PX-15 is %s in its UTF-8 bytes, and percent-encoded in a header about it', async (email, bytes, encoded) => {
    const who: Claims = { sub: email, email };
    const refused = await ask(at('/api/v1/pods'), await path.holder(who));
    expect(codeOf(refused)).toBe('403 NO_ROLE_ASSIGNMENT');
    expect(/x-clustral-error-meta-user: (.*)\r\n/i.exec(refused)?.[1]).toBe(encoded);
    expect(codeOf(await ask(at('/api/v1/pods'), await path.holder(who, ['g'])))).toBe('200');
    expect(linesOf(arrived()[0]?.headers ?? [], 'impersonate-user')).toEqual([bytes]);
  });

  it.each(['system:admin', 'system:serviceaccount:kube-system:x', 'system:node:n1', 'System:Masters'])(
    'PX-15 is never %s',
    async (email) => {
      const body = { clusterId: path.c1 };
      const { status, json } = await path.rest({ sub: email, email }, 'POST /api/v1/auth/kubeconfig-credential', body);
      expect([status, json['code']]).toEqual([403, 'RESERVED_USER_NAME']);
    },
  );

  it.each([
    ['says nothing', undefined],
    ['says no', false],
    ['says yes in a word', 'true'],
  ])('ID-17 is not the e-mail when the provider %s about it', async (_, emailVerified) => {
    const said = { email: 'boss@corp.test', email_verified: emailVerified, preferred_username: undefined };
    const carol = await path.holder({ sub: `carol-${String(emailVerified)}`, ...said }, ['g']);
    expect(codeOf(await ask(at('/api/v1/pods'), carol))).toBe('200');
    const [name] = linesOf(arrived()[0]?.headers ?? [], 'impersonate-user');
    expect(name).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/realms\/clustral#carol-/);
  });
});

describe('tokens of other kinds and in other places', () => {
  it('PX-22 do not open the kubectl path', async () => {
    const person = await path.accessToken({ sub: 'alice', email: 'alice@corp.test' });
    expect(codeOf(await ask(at('/api'), { token: person }))).toBe('401 INVALID_TOKEN');
    const bare = (line: string, target = at('/api')): Promise<string> =>
      path.raw(`GET ${target} HTTP/1.1\r\nHost: x\r\n${line}Connection: close\r\n\r\n`);
    for (const answer of [
      await bare(`Cookie: __Host-session=${alice.token}\r\n`),
      await bare('', at(`/api?access_token=${alice.token}`)),
      await bare('', at(`/api?token=${alice.token}`)),
    ])
      expect(codeOf(answer)).toBe('401 AUTHENTICATION_REQUIRED');
    expect(arrived()).toEqual([]);
  });

  it('ID-03 a credential does not open the admin API', async () => {
    for (const target of [
      '/api/v1/roles',
      '/api/v1/auth/kubeconfig-credential',
      '/clustral.v1.RoleService/CreateRole',
    ]) {
      const headers = ['Content-Type: application/json', 'Content-Length: 2'];
      expect(statusOf(await ask(target, { method: 'POST', headers, body: '{}' })), target).toBe(401);
    }
  });
});

describe('a cluster whose agent has gone', () => {
  it('PX-16 is told at once and stands in the log', async () => {
    await path.agent.stop();
    const began = performance.now();
    expect(codeOf(await ask(at('/api/v1/namespaces/n/pods')))).toBe('502 AGENT_NOT_CONNECTED');
    expect(performance.now() - began).toBeLessThan(1_000);
    const stream = proxyStream(path.c1 as ClusterId, utcDay(new Date()));
    const isIt = ({ type, data }: ProxyFact): boolean =>
      type === 'proxy.request' && data.phase === 'ended' && data.outcome.errorCode === 'AGENT_NOT_CONNECTED';
    await expect
      .poll(async () => (await path.store.load<ProxyFact>(stream)).facts.filter(isIt).length, { timeout: 2_000 })
      .toBe(1);
  });
});
