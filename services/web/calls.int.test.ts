/** The browser's calls, through the real gateway to a control plane that records what arrives. */
import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '@clustral/kernel/log.ts';
import { signInWithForm } from '../../infra/embedded/identity-provider/sign-in.ts';
import { sessionCookie } from './cookies.ts';
import { createIdentityProvider } from './identity-provider.ts';
import { openClient, rpc, until, type Client } from './testing/client.ts';
import { callerOf, openHouse, type House } from './testing/house.ts';

let house: House;
let dev: Client;
beforeAll(async () => {
  house = await openHouse();
  dev = openClient(house);
  await dev.signIn('dev');
});
afterAll(() => house?.stop());
beforeEach(() => {
  house.controlPlane.requests.length = 0;
});

const json = { 'content-type': 'application/json' };
const call = '/app/rpc/clustral.v1.UserService/GetMe';

describe('a call', () => {
  it('reaches the control plane as the person of the session', async () => {
    const answer = await rpc(dev, 'UserService/ListUsers', { pageSize: 7 });
    expect(await answer.json()).toEqual({ answeredBy: 'control-plane' });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const [request] = house.controlPlane.requests;
    expect(request?.url).toBe('/clustral.v1.UserService/ListUsers');
    expect(request?.body().toString()).toBe('{"pageSize":7}');
    expect(callerOf(house.controlPlane)).toMatchObject({
      preferred_username: 'dev',
      issuer: `${house.origin}/realms/clustral`,
    });
  });

  it('carries what a call needs: the position, the key of a repetition, bytes as they are', async () => {
    const body = Buffer.from([0, 1, 2, 0xff, 0xfe]);
    const headers = {
      'content-type': 'application/proto',
      'x-clustral-position': '42',
      'idempotency-key': 'once',
      'connect-timeout-ms': '5000',
    };
    await dev.post('/app/rpc/clustral.v1.RoleService/CreateRole', { headers, body });
    expect(house.controlPlane.requests[0]?.body().equals(body)).toBe(true);
    for (const [name, value] of Object.entries(headers)) expect(house.controlPlane.header(name)).toEqual([value]);
    expect(house.controlPlane.header('x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('brings back the position that was written, and no cookie', async () => {
    const otherwise = house.controlPlane.answer;
    house.controlPlane.answer = (_request, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'x-clustral-position': '77',
        'set-cookie': `${sessionCookie}=planted`,
      });
      response.end('{}');
    };
    const answer = await rpc(dev, 'RoleService/CreateRole');
    house.controlPlane.answer = otherwise;
    expect(answer.headers.get('x-clustral-position')).toBe('77');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('without a session is 401 in the words of the Connect protocol', async () => {
    const answer = await rpc(openClient(house), 'UserService/ListUsers');
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('Sign in again'),
    });
    expect(house.controlPlane.requests).toEqual([]);
  });
});

describe('UI-04 a call from elsewhere', () => {
  it.each<[string, string, string, Record<string, string>, number]>([
    ['no origin', 'POST', call, json, 403],
    ['another origin', 'POST', call, { ...json, origin: 'https://evil.example' }, 403],
    ['a sandboxed frame', 'POST', call, { ...json, origin: 'null' }, 403],
    [
      'another site, as the browser says',
      'POST',
      call,
      { ...json, origin: 'OWN', 'sec-fetch-site': 'cross-site' },
      403,
    ],
    [
      'another port of the host',
      'POST',
      call,
      { ...json, origin: 'https://localhost:1', 'sec-fetch-site': 'same-site' },
      403,
    ],
    ['a form', 'POST', call, { 'content-type': 'text/plain', origin: 'https://evil.example' }, 403],
    ['JSON that is called text', 'POST', call, { 'content-type': 'text/plain', origin: 'OWN' }, 400],
    ['a form of our own', 'POST', call, { 'content-type': 'application/x-www-form-urlencoded', origin: 'OWN' }, 400],
    ['a link', 'GET', call, {}, 404],
    ['a link that wants to be more', 'GET', call, { 'x-http-method-override': 'POST', origin: 'OWN' }, 404],
    ['another method', 'PUT', call, { ...json, origin: 'OWN' }, 404],
    ['a download started elsewhere', 'GET', '/api/audit/api/v1/audit', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a question of who is signed in', 'GET', '/api/auth/session', { 'sec-fetch-site': 'same-site' }, 403],
  ])('(%s) is refused and reaches nobody', async (...[, method, path, headers, status]) => {
    const origin = headers['origin'] === 'OWN' ? { origin: house.origin } : {};
    const body = method === 'GET' ? {} : { body: '{}' };
    const answer = await dev.send(path, { method, headers: { ...headers, ...origin }, ...body });
    expect(answer.status, await answer.text()).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(house.controlPlane.requests).toEqual([]);
    expect(house.audit.requests).toEqual([]);
  });

  it('may not ask whether it may call', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const answer = await dev.send(call, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('UI-08 what a browser sends', () => {
  const forged = {
    authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
    'x-internal-token': 'forged',
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'for=203.0.113.7',
    'x-real-ip': '203.0.113.7',
    'x-http-method-override': 'DELETE',
    'x-clustral-user': 'admin',
    'impersonate-user': 'admin',
  };

  it.each([
    ['through the gateway', () => house.origin],
    ['to the web service itself', () => `http://127.0.0.1:${house.environment['PORT']}`],
  ])('%s is replaced and not passed on', async (_way, where) => {
    const answer = await fetch(`${where()}${call.replace('GetMe', 'ListUsers')}`, {
      method: 'POST',
      dispatcher: new Agent({ connect: { ca: house.ca } }),
      headers: {
        ...forged,
        ...json,
        origin: house.origin,
        cookie: `${sessionCookie}=${dev.cookies.get(sessionCookie)}`,
      },
      body: '{}',
    });
    expect(answer.status).toBe(200);
    expect(callerOf(house.controlPlane)).toMatchObject({ preferred_username: 'dev' });
    for (const name of [
      'authorization',
      'cookie',
      'origin',
      'forwarded',
      'x-real-ip',
      'x-http-method-override',
      'x-clustral-user',
      'impersonate-user',
    ])
      expect(house.controlPlane.header(name), name).toEqual([]);
    expect(house.controlPlane.header('x-forwarded-host')).toEqual([new URL(house.origin).host]);
    expect(house.controlPlane.header('x-forwarded-proto')).toEqual(['https']);
    expect(house.controlPlane.header('x-internal-token')).toHaveLength(1);
  });

  it.each([
    '/api/audit/..%2f..%2fhealthz/detail',
    '/api/audit/%2e%2e/healthz/detail',
    '/api/audit/api/v1/audit/..%2f..%2fclusters',
    '/api/audit/api/v1/clusters',
    '/api/audit/healthz/detail',
    '/api/audit//api/v1/audit',
    '/api/v1/%2e%2e/%2e%2e/x',
  ])('as the path %s goes nowhere', async (path) => {
    const answer = await rawGet(path);
    expect([400, 401, 404]).toContain(answer.status);
    expect(house.controlPlane.requests).toEqual([]);
    expect(house.audit.requests).toEqual([]);
  });

  it.each([
    '/app/rpc/clustral.v1.UserService/..%2fx',
    '/app/rpc/clustral.v1.UserService/GetMe/',
    '/app/rpc/clustral.v1.UserService/GetMe?x=1',
    '/app/rpc//clustral.v1.UserService/GetMe',
    '/app/rpc/clustral.v1.UserService/%47etMe',
    '/app/rpc/clustral.v1.AgentService/RegisterAgent',
    '/app/rpc/clustral.v1.TunnelService/Control',
    '/app/rpc/grpc.health.v1.Health/Check',
    '/app/rpc/toString/constructor',
  ])('as the method %s is none', async (path) => {
    const answer = await dev.post(path, { headers: json, body: '{}' });
    // 501 is what the Connect protocol says for a method that is none.
    expect([400, 501]).toContain(answer.status);
    expect(house.controlPlane.requests).toEqual([]);
  });

  // `fetch` would tidy the path before it is sent.
  const rawGet = async (path: string): Promise<{ status: number }> => {
    const agent = new Agent({ connect: { ca: house.ca } });
    const cookie = `${sessionCookie}=${dev.cookies.get(sessionCookie)}`;
    const { statusCode, body } = await agent.request({
      origin: house.origin,
      path,
      method: 'GET',
      headers: { cookie },
    });
    await body.dump();
    await agent.close();
    return { status: statusCode };
  };
});

describe('the audit', () => {
  it('can be downloaded with the session', async () => {
    const answer = await dev.get('/api/audit/api/v1/audit?code=CPR002W&pageSize=10', {
      'sec-fetch-site': 'same-origin',
    });
    expect(await answer.json()).toEqual({ answeredBy: 'audit' });
    expect(house.audit.requests.at(-1)?.url).toBe('/api/v1/audit?code=CPR002W&pageSize=10');
    expect(callerOf(house.audit)).toMatchObject({ preferred_username: 'dev' });
    house.audit.requests.length = 0;
  });

  it('wants a session', async () => {
    expect((await openClient(house).get('/api/audit/api/v1/audit')).status).toBe(401);
  });
});

describe('a stream', () => {
  const stream = (client: Client) =>
    client.post('/app/rpc/clustral.v1.UserService/ListUsers', {
      headers: { 'content-type': 'application/connect+json' },
      body: '{}',
    });

  /** The control plane says "one" and then nothing until it is told to. */
  async function speaking(work: (say: (text: string) => void) => Promise<void>): Promise<void> {
    const otherwise = house.controlPlane.answer;
    let say: (text: string) => void = () => undefined;
    house.controlPlane.answer = (request, response) => {
      if (!request.url?.endsWith('/ListUsers')) return otherwise(request, response);
      response.writeHead(200, { 'content-type': 'application/connect+json' });
      response.write('one');
      say = (text) => void response.write(text);
    };
    await work((text) => say(text)).finally(() => (house.controlPlane.answer = otherwise));
  }
  const text = async (read: Promise<{ value?: unknown }>): Promise<string> =>
    Buffer.from(((await read).value ?? []) as Uint8Array).toString();

  it('comes piece by piece, and ends behind when the browser goes', async () => {
    await speaking(async (say) => {
      const answer = await stream(dev);
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      expect(await text(reader.read())).toBe('one');
      say('two');
      expect(await text(reader.read())).toBe('two');
      await reader.cancel();
      const [request] = house.controlPlane.requests;
      await until(() => request?.aborted === true);
    });
  });

  it('is cut when the person signs out', async () => {
    await speaking(async () => {
      const client = openClient(house);
      await client.signIn('dev');
      const reader = ((await stream(client)).body as ReadableStream<Uint8Array>).getReader();
      expect(await text(reader.read())).toBe('one');
      await client.post('/api/auth/sign-out');
      await expect(reader.read()).rejects.toThrow();
      await until(() => house.controlPlane.requests.some(({ url, aborted }) => url.endsWith('/ListUsers') && aborted));
    });
  });
});

describe('a person who was disabled', () => {
  it('has no session after the first call that was refused', async () => {
    const otherwise = house.controlPlane.answer;
    const client = openClient(house);
    await client.signIn('auditor');
    house.disabled.add('auditor');
    house.controlPlane.answer = (request, response) => {
      if (request.url === '/api/v1/users/me') return otherwise(request, response);
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('{"code":"permission_denied"}');
    };
    expect((await rpc(client, 'UserService/ListUsers')).status).toBe(403);
    await until(async () => (await rpc(client, 'UserService/ListUsers')).status === 401);
    house.controlPlane.answer = otherwise;
    house.disabled.delete('auditor');
    expect((await rpc(client, 'UserService/ListUsers')).status).toBe(401);
  });
});

describe('tokens of a session', () => {
  it('are renewed at the provider until it says no', async () => {
    const dispatcher = new Agent({ connect: { ca: house.ca } });
    const provider = createIdentityProvider({
      authority: `${house.origin}/realms/clustral`,
      clientId: 'clustral-web',
      clientSecret: () => readFileSync(house.environment['OIDC_CLIENT_SECRET_FILE'] ?? '', 'utf8'),
      origin: house.origin,
      dispatcher,
      now: () => Date.now(),
      log: createLog('web', 'silent'),
    });
    const { checks, address } = await provider.begin();
    const callback = await signInWithForm({
      authorizationUrl: address,
      username: 'dev',
      password: 'dev',
      ca: house.ca,
    });
    const first = await provider.redeem(callback, checks);
    const second = await provider.renew(first);
    expect(second?.subject).toBe(first.subject);
    expect(second?.accessToken).not.toBe(first.accessToken);
    expect(second?.endsMs).toBeGreaterThan(Date.now() + 200_000);
    await provider.revoke(second ?? first);
    expect(await provider.renew(second ?? first)).toBeUndefined();
    expect(await provider.renew({ ...first, refreshToken: 'made up' })).toBeUndefined();
    await house.stopProvider();
    await expect(provider.renew(first)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await house.startProvider();
    await dispatcher.close();
  });
});
