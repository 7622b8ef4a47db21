import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeJwt } from 'jose';
import { sendRaw, startTestGateway, statusOf, type TestGateway } from './testing/gateway.ts';
import type { Recorder } from './testing/recorder.ts';

let gateway: TestGateway;
let plainAnswer: Recorder['answer'];
beforeAll(async () => {
  gateway = await startTestGateway();
  plainAnswer = gateway.controlPlane.answer;
});
beforeEach(() => {
  gateway.controlPlane.answer = plainAnswer;
});
afterAll(() => gateway.stop());

let people = 0;
/** A person whom nobody has counted yet. */
const someone = async (claims: Record<string, unknown> = {}): Promise<string> => {
  people += 1;
  return `Bearer ${await gateway.provider.token({ sub: `person-${people}`, ...claims })}`;
};

describe('where requests go', () => {
  it.each([
    ['/api/v1/clusters?x=%2F&y=+', 'controlPlane', '/api/v1/clusters?x=%2F&y=+'],
    ['/api/v1/audit?user=a', 'audit', '/api/v1/audit?user=a'],
    ['/audit-api/api/v1/audit/uid-1?x=1', 'audit', '/api/v1/audit/uid-1?x=1'],
    ['/clustral.v1.AuditService/ListEvents', 'audit', '/clustral.v1.AuditService/ListEvents'],
    ['/clustral.v1.ClusterService/ListClusters', 'controlPlane', '/clustral.v1.ClusterService/ListClusters'],
    ['/api/audit/events', 'web', '/api/audit/events'],
    ['/app/rpc/clustral.v1.ClusterService/ListClusters', 'web', '/app/rpc/clustral.v1.ClusterService/ListClusters'],
    ['/.well-known/clustral-configuration', 'web', '/.well-known/clustral-configuration'],
    ['/api/v1//clusters', 'controlPlane', '/api/v1//clusters'],
    ['/api/v1/clusters/', 'controlPlane', '/api/v1/clusters/'],
    ['/api/v1/%252e%252e/x', 'controlPlane', '/api/v1/%252e%252e/x'],
  ] as const)('%s goes to %s as %s', async (path, service, url) => {
    const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: await someone() } });
    expect(answer.status).toBe(200);
    expect(gateway[service].requests.at(-1)?.url).toBe(url);
  });

  it.each([
    '/API/v1/clusters',
    '/api//v1/clusters',
    '/audit-api/x',
    '/internal/v1/refusals',
    '/healthz/x',
    '/realms/x/y',
  ])('%s goes nowhere, whoever asks', async (path) => {
    const web = gateway.web.requests.length;
    const authorization = await someone({ realm_access: { roles: ['clustral-admin'] } });
    const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization } });
    // Without an embedded provider `/realms` is a page that the web service does not have.
    if (path.startsWith('/realms')) return expect(gateway.web.requests.length).toBe(web + 1);
    expect(answer.status).toBe(404);
    expect(gateway.web.requests.length).toBe(web);
  });

  it.each(['/api/v1/../../healthz', '/api/v1/%2e%2e/x', '/api/audit/..%2f..%2fhealthz/detail', '/api/v1/x%5c..'])(
    'UI-08 %s is refused before anybody is asked who they are',
    async (path) => {
      const answer = await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(statusOf(answer)).toBe(400);
      expect(answer).toContain('INVALID_PATH');
    },
  );

  it("the embedded identity provider gets its clients' credentials and no word of ours", async () => {
    const provider = gateway.web;
    const embedded = await startTestGateway({ IDENTITY_PROVIDER_URL: provider.url });
    const answer = await fetch(`${embedded.url}/realms/clustral/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { authorization: 'Basic YTpi', cookie: 's=1', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=refresh_token',
    });
    expect(answer.status).toBe(200);
    expect(provider.requests.at(-1)?.body().toString()).toBe('grant_type=refresh_token');
    expect(provider.header('authorization')).toEqual(['Basic YTpi']);
    expect(provider.header('cookie')).toEqual(['s=1']);
    expect(provider.header('x-internal-token')).toEqual([]);
    expect(provider.header('x-forwarded-proto')).toEqual(['https']);
    await embedded.stop();
  });
});

describe('what goes on', () => {
  it('a body as it came, with its type', async () => {
    const body = '{ "name" : "a", "other":"b" }';
    for (const type of ['application/json', 'application/json;a', 'text/plain', 'application/proto']) {
      await fetch(`${gateway.url}/api/v1/roles`, {
        method: 'POST',
        body,
        headers: { authorization: await someone(), 'content-type': type },
      });
      expect(gateway.controlPlane.requests.at(-1)?.body().toString()).toBe(body);
      expect(gateway.controlPlane.header('content-type')).toEqual([type]);
    }
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('a %s with a body', async (method) => {
    await fetch(`${gateway.url}/api/v1/roles/x`, {
      method,
      body: '{}',
      headers: { authorization: await someone(), 'content-type': 'application/json' },
    });
    expect(gateway.controlPlane.requests.at(-1)).toMatchObject({ method });
    expect(gateway.controlPlane.requests.at(-1)?.body().toString()).toBe('{}');
  });

  it('a POST without a body', async () => {
    const answer = await fetch(`${gateway.url}/api/v1/clusters/x/revoke`, {
      method: 'POST',
      headers: { authorization: await someone(), 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    expect(gateway.controlPlane.requests.at(-1)?.body()).toHaveLength(0);
  });

  it('GW-12 nothing of a content type that cannot be read', async () => {
    const before = gateway.controlPlane.requests.length;
    const answer = await sendRaw(
      gateway.port,
      `POST /api/v1/roles HTTP/1.1\r\nHost: a\r\nAuthorization: ${await someone()}\r\nContent-Type: application/json\tx\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect([415, 422]).toContain(statusOf(answer));
    expect(gateway.controlPlane.requests.length).toBe(before);
  });

  it('to the web service: cookies, and no bearer token', async () => {
    await fetch(`${gateway.url}/api/auth/session`, {
      headers: {
        cookie: '__Host-s=1',
        authorization: await someone(),
        'x-internal-token': 'x',
        'x-forwarded-for': '203.0.113.9',
      },
    });
    expect(gateway.web.header('cookie')).toEqual(['__Host-s=1']);
    expect(gateway.web.header('authorization')).toEqual([]);
    expect(gateway.web.header('x-internal-token')).toEqual([]);
    expect(gateway.web.header('x-forwarded-for')).toEqual(['203.0.113.9']);
    expect(gateway.web.header('x-forwarded-host')).toEqual(['clustral.example:8443']);
  });

  it('and comes back: status, repeated headers, no headers of the hop behind', async () => {
    gateway.controlPlane.answer = (_request, response) => {
      response.writeHead(418, [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
        'x-clustral-position',
        '7',
      ]);
      response.end('teapot');
    };
    const answer = await fetch(`${gateway.url}/api/v1/x`, { headers: { authorization: await someone() } });
    expect([answer.status, await answer.text()]).toEqual([418, 'teapot']);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(answer.headers.get('x-hop')).toBeNull();
    expect(answer.headers.get('x-clustral-position')).toBe('7');
    expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('D22 a service behind that fails', () => {
  it('is asked once, also for a GET and after a 503', async () => {
    const before = gateway.controlPlane.requests.length;
    gateway.controlPlane.answer = (_request, response) =>
      void response.writeHead(503, { 'retry-after': '1' }).end('{}');
    expect((await fetch(`${gateway.url}/api/v1/x`, { headers: { authorization: await someone() } })).status).toBe(503);
    gateway.controlPlane.answer = (request) => void request.socket.destroy();
    const answer = await fetch(`${gateway.url}/api/v1/x`, { headers: { authorization: await someone() } });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    expect(gateway.controlPlane.requests.length).toBe(before + 2);
  });

  it('is a Connect error on RPC and breaks off when it breaks off', async () => {
    gateway.controlPlane.answer = (request) => void request.socket.destroy();
    const rpc = await fetch(`${gateway.url}/clustral.v1.ClusterService/ListClusters`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: await someone(), 'content-type': 'application/json' },
    });
    expect(rpc.status).toBe(503);
    expect(await rpc.json()).toMatchObject({ code: 'unavailable' });
    gateway.controlPlane.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setImmediate(() => response.destroy());
    };
    const half = await fetch(`${gateway.url}/api/v1/x`, { headers: { authorization: await someone() } });
    await expect(half.text()).rejects.toThrow();
  });
});

describe('D4 GW-11 bodies of the admin API', () => {
  const ten = 10 * 1024 * 1024;
  it.each([
    ['with a length', ten + 1],
    ['in chunks', ten + 1],
  ])('over 10 MB %s never reach the control plane', async (how, length) => {
    const before = gateway.controlPlane.requests.length;
    const body = Buffer.alloc(length);
    const chunks = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(body);
        controller.close();
      },
    });
    const answer = await fetch(`${gateway.url}/api/v1/roles`, {
      method: 'POST',
      headers: { authorization: await someone(), 'content-type': 'application/json' },
      ...(how === 'in chunks' ? { body: chunks, duplex: 'half' } : { body }),
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'REQUEST_TOO_LARGE' });
    expect(gateway.controlPlane.requests.length).toBe(before);
  });
});

describe('GW-17 other origins', () => {
  it.each(['https://evil', 'null', 'https://clustral.example.evil'])('%s is allowed nothing', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await fetch(`${gateway.url}/api/v1/clusters`, {
        method,
        headers: { origin, authorization: await someone(), 'access-control-request-method': 'POST' },
      });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('GW-18 the limit of a person', () => {
  it("is one bucket for every spelling, and nobody else's", async () => {
    const token = (await someone()).slice('Bearer '.length);
    const spellings = [`Bearer ${token}`, `bearer ${token}`, `Bearer  ${token}`, `BEARER ${token}`];
    const statuses: number[] = [];
    const calls = Array.from({ length: 130 }, async (_, index) => {
      const answer = await fetch(`${gateway.url}/api/v1/clusters`, {
        headers: { authorization: spellings[index % 4] ?? '' },
      });
      statuses.push(answer.status);
      if (answer.status === 429) {
        expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
        expect(await answer.json()).toMatchObject({ code: 'RATE_LIMITED' });
      }
    });
    await Promise.all(calls);
    const passed = statuses.filter((status) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(100);
    expect(passed).toBeLessThan(115);
    // Bob comes from the same address.
    const bob = await someone();
    for (let index = 0; index < 20; index += 1)
      expect((await fetch(`${gateway.url}/api/v1/clusters`, { headers: { authorization: bob } })).status).toBe(200);
  });

  it('of strangers is by address, and leaves those alone who can show who they are', async () => {
    const from = { 'x-forwarded-for': '198.51.100.1' };
    const statuses = await Promise.all(
      Array.from(
        { length: 130 },
        async () => (await fetch(`${gateway.url}/api/v1/clusters`, { headers: from })).status,
      ),
    );
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(100);
    expect(statuses).toContain(429);
    const known = await fetch(`${gateway.url}/api/v1/clusters`, {
      headers: { ...from, authorization: await someone() },
    });
    expect(known.status).toBe(200);
  });
});

describe('/healthz/detail', () => {
  it.each([
    [['clustral-user'], 403],
    [['clustral-admin'], 200],
    [['clustral-auditor'], 200],
  ])('answers %s with %i', async (roles, status) => {
    const answer = await fetch(`${gateway.url}/healthz/detail`, {
      headers: { authorization: await someone({ realm_access: { roles } }) },
    });
    expect(answer.status).toBe(status);
    if (status === 200)
      expect(await answer.json()).toMatchObject({
        ready: true,
        checks: [{ name: 'gateway', ready: true }, {}, {}, {}],
      });
  });
});

describe('the internal token', () => {
  it('of a person is no good as one of a credential', async () => {
    await fetch(`${gateway.url}/api/v1/x`, {
      headers: { authorization: await someone({ cluster_id: 'x', credential_id: 'y' }) },
    });
    const claims = decodeJwt(gateway.controlPlane.header('x-internal-token')[0] ?? '');
    expect(claims).not.toHaveProperty('credential_id');
  });
});
