/**
 * Bytes through a real nginx with the configuration that users are given: nothing a client sends reaches the services in another form than without
 * nginx, and nothing gets past the gateway's judgement because two parsers read it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent, fetch, type Response } from 'undici';
import { c1, startTestGateway, statusOf, type TestGateway } from '@clustral/gateway/testing/gateway.ts';
import { writeServerCertificate } from '@clustral/gateway/testing/server-certificate.ts';
import { freePorts } from '../standalone/ports.ts';
import { missingForNginx, shortDefaults, startNginx, type Nginx } from './parts/nginx.ts';

const missing = missingForNginx();
if (missing !== undefined) console.log(`not run: requests through nginx; missing: ${missing}`);

describe.skipIf(missing !== undefined)('requests through nginx', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-'));
  let gateway: TestGateway;
  let nginx: Nginx;
  let ca: string;
  let dispatcher: Agent;

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    gateway = await startTestGateway({ PUBLIC_URL: `https://localhost:${port}` });
    const [keyPath, certificatePath] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    ca = await writeServerCertificate(keyPath, certificatePath);
    const webPort = Number(new URL(gateway.web.url).port);
    nginx = await startNginx({
      port,
      gatewayPort: gateway.port,
      webPort,
      keyPath,
      certificatePath,
      defaults: shortDefaults,
    });
    // Over HTTP/2, Node does not see an answer that came before the whole body was sent.
    dispatcher = new Agent({ allowH2: false, connect: { ca } });
  });
  afterAll(async () => {
    await dispatcher?.destroy();
    await nginx?.stop();
    await gateway?.stop();
    rmSync(folder, { recursive: true });
  });

  /** Bytes to nginx over TLS, and what comes back until it closes. */
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = '';
      const socket = connect({
        host: '127.0.0.1',
        port: nginx.port,
        servername: 'localhost',
        ca,
        ALPNProtocols: ['http/1.1'],
      });
      const patience = setTimeout(() => socket.destroy(), 3_000);
      socket.once('secureConnect', () => socket.write(Buffer.from(bytes, 'latin1')));
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearTimeout(patience);
        resolve(answer);
      });
    });
  const ask = (path: string, token?: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`https://localhost:${nginx.port}${path}`, {
      dispatcher,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    });
  /** What the control plane and the web service were asked while something ran. */
  const asked = async (run: () => Promise<unknown>): Promise<readonly string[]> => {
    const services = [gateway.controlPlane, gateway.audit, gateway.web];
    const before = services.map(({ requests }) => requests.length);
    await run();
    return (
      services
        .flatMap(({ requests }, index) => requests.slice(before[index]))
        .map(({ method, url }) => `${method} ${url}`)
        // The gateway's own report of what it refused (D31).
        .filter((line) => line !== 'POST /internal/v1/refusals')
    );
  };
  const host = 'Host: localhost\r\n';

  it('GW-01 without credentials are refused in both shapes', async () => {
    const rest = await ask('/api/v1/clusters');
    expect(rest.status).toBe(401);
    expect(rest.headers.get('content-type')).toContain('application/problem+json');
    const proxied = await ask(`/api/proxy/${c1}/api`);
    expect([proxied.status, proxied.headers.get('x-clustral-error-code')]).toEqual([401, 'AUTHENTICATION_REQUIRED']);
    expect(proxied.headers.get('content-type')).toContain('text/plain');
  });

  it.each([
    ['a length and a coding', 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG'],
    [
      'a coding and a length',
      'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGET /smug HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    ['a length with a sign', 'Content-Length: +5\r\n\r\nhello'],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['two codings', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a coding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a coding behind a tab', 'Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\nGET'],
  ])('GW-02 with %s are refused, and nothing behind them is a request', async (_what, rest) => {
    const token = await gateway.provider.token();
    const seen = await asked(async () => {
      const answer = await raw(
        `POST /api/v1/roles HTTP/1.1\r\n${host}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\n${rest}GET /smug HTTP/1.1\r\n${host}\r\n`,
      );
      expect([400, 501]).toContain(statusOf(answer));
      expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['a blank before the colon', 'Content-Length : 1\r\n', [400]],
    ['a folded line', 'X: a\r\n Impersonate-Group: system:masters\r\n', [400]],
    ['a carriage return in a value', 'X: a\rb\r\n', [400]],
    ['a NUL in a value', 'X: a\0b\r\n', [400]],
    // nginx takes it for a line end, and makes it a proper one: it is a request like any other, without credentials.
    ['a bare line feed', 'X: a\nY: b\r\n', [400, 401]],
  ])('GW-03 with %s are refused', async (_what, line, statuses) => {
    const seen = await asked(async () => {
      const answer = await raw(`GET /api/v1/clusters HTTP/1.1\r\n${host}Connection: close\r\n${line}\r\n`);
      expect(statuses).toContain(statusOf(answer));
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['two hosts', 'GET /api/v1/clusters HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET /api/v1/clusters HTTP/1.1\r\nConnection: close\r\n\r\n'],
    [
      'another host in the target',
      'GET http://127.0.0.1:9/api/v1/clusters HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ],
    [
      'another host behind two slashes',
      'GET //127.0.0.1:9/api/v1/clusters HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ],
    [
      'another host behind a backslash',
      'GET /\\127.0.0.1:9/api/v1/clusters HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ],
  ])('GW-04 with %s never reach another one, nor the API', async (_what, bytes) => {
    const seen = await asked(async () => expect(statusOf(await raw(bytes))).not.toBe(0));
    // The web service may be asked for what looks like a page.
    expect(seen.filter((line) => line.endsWith('clusters') && !/^GET \/[/\\]/.test(line))).toEqual([]);
    expect(gateway.controlPlane.requests.filter(({ url }) => url === '/api/v1/clusters')).toEqual([]);
  });

  it.each([
    ['h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n'],
    [
      'a WebSocket and a body',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 40\r\n\r\nGET /smug HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ],
  ])('GW-05 that ask for %s are refused and hide nothing', async (_what, rest) => {
    const token = await gateway.kubeconfigToken();
    const seen = await asked(async () => {
      const path = `/api/proxy/${c1}/api/v1/namespaces/n/pods/p/exec`;
      const answer = await raw(`GET ${path} HTTP/1.1\r\n${host}Authorization: Bearer ${token}\r\n${rest}`);
      expect(statusOf(answer)).toBe(400);
    });
    expect(seen).toEqual([]);
  });

  it.each(['TRACE', 'TRACK', 'CONNECT', 'get'])('GW-06 of method %s get an answer, and go nowhere', async (method) => {
    const target = method === 'CONNECT' ? '127.0.0.1:9' : '/api/v1/clusters';
    const seen = await asked(async () => {
      expect([400, 405]).toContain(
        statusOf(await raw(`${method} ${target} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)),
      );
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['a header of 20 KB', `X: ${'a'.repeat(20_000)}\r\n`],
    ['2,100 headers and the credentials last', 'X: a\r\n'.repeat(2_100)],
    ['a cookie of 16 KB', `Cookie: ${'a'.repeat(16_384)}\r\n`],
  ])('GW-07 with %s are refused as too large, never read in part', async (_what, lines) => {
    const token = await gateway.provider.token();
    const seen = await asked(async () => {
      const answer = await raw(
        `GET /api/v1/clusters HTTP/1.1\r\n${host}Connection: close\r\n${lines}Authorization: Bearer ${token}\r\n\r\n`,
      );
      expect([400, 431]).toContain(statusOf(answer));
    });
    expect(seen).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'GW-08 with a header called %s are like any other',
    async (name) => {
      const answer = await raw(
        `GET /api/v1/clusters HTTP/1.1\r\n${host}Connection: close\r\n${name}: x\r\n${name}: y\r\n\r\n`,
      );
      expect(statusOf(answer)).toBe(401);
    },
  );

  it('GW-11 with more than 10 MB are refused in the words of the gateway', async () => {
    const token = await gateway.provider.token();
    const answer = await fetch(`https://localhost:${nginx.port}/api/v1/roles`, {
      dispatcher,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: Buffer.alloc(10 * 1024 * 1024 + 1),
    });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'REQUEST_TOO_LARGE' });
  });

  it.each(['a'.repeat(10_240), '<script>', '%0d%0aX: y', 'a b'])(
    'GW-14 do not choose a correlation id like %.20s',
    async (id) => {
      const answer = await raw(`GET /healthz HTTP/1.1\r\n${host}Connection: close\r\nX-Correlation-Id: ${id}\r\n\r\n`);
      expect(answer).toMatch(/^x-correlation-id: [0-9a-f]{32}\r$/im);
    },
  );

  it('GW-15 GW-22 are told apart by what nginx says of them, not by what they say', async () => {
    const lies = {
      'x-internal-token': await gateway.kubeconfigToken(),
      'x-clustral-user-id': 'admin',
      'x-original-url': '/healthz',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'evil',
      'x-forwarded-proto': 'http',
      'x-real-ip': '1.2.3.4',
      forwarded: 'for=1.2.3.4;host=evil',
    };
    expect((await ask('/api/v1/clusters', undefined, lies)).status).toBe(401);
    expect((await ask('/api/v1/clusters', await gateway.provider.token(), lies)).status).toBe(200);
    const { rawHeaders = [] } = gateway.controlPlane.requests.at(-1) ?? {};
    const said = rawHeaders.join('\n');
    for (const lie of ['1.2.3.4', 'evil', 'admin', '/healthz']) expect(said).not.toContain(lie);
    expect(gateway.controlPlane.header('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(gateway.controlPlane.header('x-forwarded-host')).toEqual([`localhost:${nginx.port}`]);
    expect(gateway.controlPlane.header('x-forwarded-proto')).toEqual(['https']);
    expect(gateway.controlPlane.header('x-internal-token')).toHaveLength(1);
  });

  it('GW-17 of other origins are allowed nothing', async () => {
    for (const origin of ['https://evil', 'null', 'https://clustral.evil']) {
      const { headers } = await ask('/api/v1/clusters', await gateway.provider.token(), { origin });
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  it('GW-18 of one person take nothing from the next, though all come from one address', async () => {
    const [one, other] = [await gateway.provider.token({ sub: 'one' }), await gateway.provider.token({ sub: 'other' })];
    const statuses = await Promise.all(
      Array.from({ length: 140 }, async () => (await ask('/api/v1/clusters', one)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    expect((await ask('/api/v1/clusters', other)).status).toBe(200);
  });

  it.each([
    'Impersonate-User: admin',
    'impersonate_group: system:masters',
    'Impersonate-Extra-acme.com%2Fp: y',
    'Impersonate-Uid: 0',
  ])('PX-04 D13 with %s get that far, so that they are refused and not carried out without it', async (line) => {
    const token = await gateway.kubeconfigToken();
    await raw(
      `GET /api/proxy/${c1}/version HTTP/1.1\r\n${host}Connection: close\r\nAuthorization: Bearer ${token}\r\n${line}\r\n\r\n`,
    );
    const { rawHeaders = [] } = gateway.controlPlane.requests.at(-1) ?? {};
    expect(rawHeaders.map((part) => part.toLowerCase())).toContain(line.split(':')[0]?.toLowerCase());
  });

  it.each([
    `/api/proxy/${c1}/api/v1/namespaces/d/services/https:foo:443/proxy/a%2Fb//c;x=1?x=%26&y=+%20&watch=1`,
    `/api/proxy/${c1}/a%3Fb%23c`,
    `/api/proxy/${c1}//127.0.0.1:9/x`,
    `/api/proxy/${c1}/%252e%252e/x`,
    `/api/proxy/${c1}/%41pi/./x`,
    `/api/proxy/${c1}/x/..`,
  ])('PX-09 PX-10 go on byte for byte: %s', async (target) => {
    const token = await gateway.kubeconfigToken();
    const seen = await asked(() =>
      raw(`GET ${target} HTTP/1.1\r\n${host}Connection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`),
    );
    expect(seen).toEqual([`GET ${target}`]);
  });

  it.each([
    '/api/proxy/../v1/clusters',
    '/x/../api/v1/clusters',
    '/api/v1/%2e%2e/v1/clusters',
    '/%61pi/v1/clusters',
    '/api//v1/clusters',
    '//api/v1/clusters',
    '/api/v1/clusters/',
    '/API/v1/clusters',
    '/api%2fv1%2fclusters',
    '/clustral.v1.ClusterService/../ClusterService/ListClusters',
    '/api/proxy/../../internal/v1/refusals',
    '/internal/v1/refusals',
  ])('PX-09 never reach the API by another spelling than its own: %s', async (target) => {
    const before = gateway.controlPlane.requests.length;
    await raw(`GET ${target} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    const { requests } = gateway.controlPlane;
    expect(requests.slice(before).filter(({ url }) => url !== '/internal/v1/refusals' || target === url)).toEqual([]);
  });

  it('UP-09 may be quiet longer than nginx waits by default, on the kubectl path', async () => {
    const usual = gateway.controlPlane.answer;
    gateway.controlPlane.answer = (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"event":1}\n');
      setTimeout(() => response.end('{"event":2}\n'), 3_500);
    };
    const kubeconfig = await gateway.kubeconfigToken();
    const read = async (path: string, token: string): Promise<string> =>
      ask(path, token)
        .then((answer) => answer.text())
        .catch(() => 'cut');
    const [watch, api] = await Promise.all([
      read(`/api/proxy/${c1}/api/v1/pods?watch=1`, kubeconfig),
      read('/api/v1/clusters', await gateway.provider.token({ sub: 'patient' })),
    ]);
    gateway.controlPlane.answer = usual;
    expect(watch).toBe('{"event":1}\n{"event":2}\n');
    // So the defaults of this test do cut what is not exempt from them.
    expect(api).not.toBe('{"event":1}\n{"event":2}\n');
  });

  it('are told by nginx to stay with https', async () => {
    expect((await ask('/healthz')).headers.get('strict-transport-security')).toBe('max-age=31536000');
    expect((await ask('/api/v1/clusters')).headers.get('strict-transport-security')).toBe('max-age=31536000');
  });
});
