import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeJwt } from 'jose';
import { c1, eventually, sendRaw, startTestGateway, statusOf, type TestGateway } from './testing/gateway.ts';
import { bodyOf, openRequest } from './testing/open-request.ts';
import type { ReportedRefusal } from './refusals.ts';

let gateway: TestGateway;
let plainAnswer: TestGateway['controlPlane']['answer'];
beforeAll(async () => {
  gateway = await startTestGateway();
  plainAnswer = gateway.controlPlane.answer;
});
beforeEach(() => {
  gateway.controlPlane.answer = plainAnswer;
});
afterAll(() => gateway.stop());

const pods = `/api/proxy/${c1}/api/v1/pods`;
const last = () => gateway.controlPlane.requests.findLast(({ url }) => url.startsWith('/api/proxy/'));
const bearer = async (claims?: Record<string, unknown>): Promise<string> =>
  `Bearer ${await gateway.kubeconfigToken(claims)}`;
const raw = async (lines: string, path = pods, method = 'GET'): Promise<string> =>
  sendRaw(
    gateway.port,
    `${method} ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${await bearer()}\r\nConnection: close\r\n${lines}\r\n`,
  );

const open = (options: { method: string; path?: string; headers?: Record<string, string> }) =>
  openRequest(gateway, { path: pods, ...options });

describe('a request on the kubectl path', () => {
  it.each([
    `/api/proxy/${c1}/api/v1/namespaces/x/services/https:foo:443/proxy/a%2Fb//c;x=1?x=%26&y=+%20&watch=1`,
    `/api/proxy/${c1}/a%3Fb%23c/%2e%2e/%252e?%zz`,
    `/api/proxy/${c1}`,
    '/api/proxy/',
  ])('PX-10 keeps its target byte for byte: %s', async (path) => {
    await raw('', path);
    expect(last()?.url).toBe(path);
  });

  it('keeps its header lines, and gets what the gateway says of it', async () => {
    await raw(
      'Accept: a\r\nX-Thing: 1\r\naccept: b\r\nCookie: c\r\nImpersonate-User: bob\r\nX-Clustral-Impersonate-User: admin\r\nAudit-ID: mine\r\n',
    );
    const { rawHeaders = [] } = last() ?? {};
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names.slice(2)).toEqual([
      'Accept',
      'X-Thing',
      'accept',
      'Impersonate-User',
      'x-internal-token',
      'x-correlation-id',
      'x-forwarded-for',
    ]);
    const [token = ''] = gateway.controlPlane.header('x-internal-token');
    expect(decodeJwt(token)).toMatchObject({
      kind: 'internal',
      sub: 'user-1',
      cluster_id: c1,
      credential_id: 'credential-1',
    });
    expect(gateway.controlPlane.header('x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('PX-06 gets its internal token whatever Connection lists', async () => {
    await sendRaw(
      gateway.port,
      `GET ${pods} HTTP/1.1\r\nHost: a\r\nAuthorization: ${await bearer()}\r\nConnection: close, X-Internal-Token, Authorization, X-Foo\r\nX-Foo: 1\r\n\r\n`,
    );
    expect(gateway.controlPlane.header('x-internal-token')).toHaveLength(1);
    expect(gateway.controlPlane.header('x-foo')).toEqual([]);
  });

  it('PX-07 loses its trailers', async () => {
    const answer = await raw(
      'Transfer-Encoding: chunked\r\nTrailer: Impersonate-Group\r\n\r\n3\r\nabc\r\n0\r\nImpersonate-Group: system:masters\r\n',
      pods,
      'POST',
    );
    expect(statusOf(answer)).toBe(200);
    expect(last()?.body().toString()).toBe('abc');
    expect(JSON.stringify(last()?.rawHeaders)).not.toContain('system:masters');
  });

  it('carries non-ASCII header bytes as they are', async () => {
    await raw('X-Name: jos\xc3\xa9\r\n');
    expect(gateway.controlPlane.header('x-name')).toEqual(['jos\xc3\xa9']);
  });

  it('signs one internal token for many requests', async () => {
    const seen = new Set<string>();
    const authorization = await bearer();
    for (let index = 0; index < 5; index += 1) {
      await fetch(`${gateway.url}${pods}`, { headers: { authorization } });
      seen.add(gateway.controlPlane.header('x-internal-token')[0] ?? '');
    }
    expect(seen.size).toBe(1);
  });
});

describe('an answer on the kubectl path', () => {
  it('PX-21 keeps repeated lines apart, and its status text', async () => {
    gateway.controlPlane.answer = (_request, response) => {
      response.writeHead(203, [
        'Warning',
        'a',
        'warning',
        'b',
        'X-Correlation-Id',
        'theirs',
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
      ]);
      response.end('x');
    };
    const answer = await raw('');
    expect(answer).toContain('Warning: a\r\nwarning: b\r\n');
    expect(answer).not.toContain('X-Hop');
    expect(answer.match(/x-correlation-id/gi)).toHaveLength(1);
  });

  it.each([204, 304])('%i has no body', async (status) => {
    gateway.controlPlane.answer = (_request, response) => void response.writeHead(status).end();
    expect(statusOf(await raw(''))).toBe(status);
  });

  it('to HEAD keeps its length', async () => {
    gateway.controlPlane.answer = (_request, response) => void response.writeHead(200, { 'content-length': '7' }).end();
    expect((await raw('', pods, 'HEAD')).toLowerCase()).toContain('content-length: 7');
  });

  it('PX-18 shows the head of a watch before its first event, and each event as it comes', async () => {
    const { promise: opened, resolve } = Promise.withResolvers<(text: string) => void>();
    gateway.controlPlane.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      resolve((text) => void response.write(text));
    };
    const { outgoing, answer } = await open({ method: 'GET', path: `${pods}?watch=1` });
    outgoing.end();
    const message = await answer;
    expect(message.statusCode).toBe(200);
    const send = await opened;
    for (const event of ['one', 'two', 'three']) {
      const arrived = new Promise((done) => message.once('data', (chunk: Buffer) => done(chunk.toString())));
      send(event);
      expect(await arrived).toBe(event);
    }
    outgoing.destroy();
    await eventually(() => last()?.aborted === true);
  });

  it('PX-20 that breaks off after its head breaks off for the client', async () => {
    for (const headers of [{ 'content-length': '100' }, {}]) {
      gateway.controlPlane.answer = (_request, response) => {
        response.writeHead(200, headers).write('{"items":[');
        setImmediate(() => response.destroy());
      };
      const { outgoing, answer } = await open({ method: 'GET' });
      outgoing.end();
      await expect(bodyOf(await answer)).rejects.toThrow(/aborted/);
    }
  });

  it('holds a fast sender back for a client that does not read', async () => {
    let sent = 0;
    gateway.controlPlane.answer = (_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (sent < 256 * 1024 * 1024 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      response.writeHead(200);
      more();
    };
    const socket = connect(gateway.port, '127.0.0.1');
    socket.pause();
    socket.write(`GET ${pods} HTTP/1.1\r\nHost: a\r\nAuthorization: ${await bearer()}\r\n\r\n`);
    let before = -1;
    await eventually(async () => {
      const settled = sent === before && sent > 0;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return settled;
    });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    socket.destroy();
    await eventually(() => last()?.aborted === true);
  });
});

describe('a control plane that does not answer', () => {
  it('D22 is asked once, whatever it does', async () => {
    const before = gateway.controlPlane.requests.length;
    gateway.controlPlane.answer = (request) => void request.socket.destroy();
    const answer = await raw('');
    expect(statusOf(answer)).toBe(502);
    expect(answer).toContain('x-clustral-error-code: UPSTREAM_UNREACHABLE');
    expect(gateway.controlPlane.requests.length).toBe(before + 1);
  });

  it('is a 502 in plain text', async () => {
    const lonely = await startTestGateway({ CONTROLPLANE_URL: 'http://127.0.0.1:1' });
    const authorization = `Bearer ${await lonely.kubeconfigToken()}`;
    const answer = await fetch(`${lonely.url}${pods}`, { headers: { authorization } });
    expect(answer.status).toBe(502);
    expect(await answer.text()).toMatch(/^The control plane does not answer\..*\n$/);
    const upload = await fetch(`${lonely.url}${pods}`, {
      headers: { authorization },
      method: 'POST',
      body: Buffer.alloc(3_000_000),
    });
    expect(upload.status).toBe(502);
    await lonely.stop();
  });
});

describe('D31 refusals', () => {
  it('are told to the control plane within 2 s, without any secret', async () => {
    const isReport = ({ url }: { url: string }): boolean => url === '/internal/v1/refusals';
    await fetch(`${gateway.url}${pods}?access_token=s3cr3t`, {
      headers: { 'user-agent': 'kubectl/v1.33', 'x-forwarded-for': '203.0.113.77', 'x-correlation-id': 'told' },
    });
    const found = (): ReportedRefusal | undefined =>
      gateway.controlPlane.requests
        .filter(isReport)
        .flatMap(({ body }) => (JSON.parse(body().toString()) as { refusals: ReportedRefusal[] }).refusals)
        .find(({ correlationId }) => correlationId === 'told');
    await eventually(() => found() !== undefined, 2_000);
    expect(found()).toEqual({
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      clusterId: c1,
      credentialId: null,
      errorCode: 'AUTHENTICATION_REQUIRED',
      status: 401,
      method: 'GET',
      path: `${pods}?access_token=[removed]`,
      sourceAddress: '203.0.113.77',
      userAgent: 'kubectl/v1.33',
      correlationId: 'told',
    });
    const report = gateway.controlPlane.requests.find(isReport);
    const token = report?.rawHeaders[report.rawHeaders.indexOf('x-internal-token') + 1] ?? '';
    expect(decodeJwt(token)).toMatchObject({
      kind: 'service',
      iss: 'clustral-gateway',
      aud: 'clustral-internal',
      sub: 'clustral-gateway',
    });
  });

  it('cannot be reported from outside', async () => {
    for (const path of [
      '/internal/v1/refusals',
      '/INTERNAL/v1/refusals',
      '//internal/v1/refusals',
      '/x/../internal/v1/refusals',
    ]) {
      const before = gateway.controlPlane.requests.length;
      const answer = await sendRaw(
        gateway.port,
        `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${await gateway.provider.token()}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
      );
      expect([400, 404], path).toContain(statusOf(answer));
      expect(gateway.controlPlane.requests.slice(before).some(({ body }) => body().toString() === '{}')).toBe(false);
    }
  });
});

describe('GW-19 the limit of a credential', () => {
  it('lets 200 of 300 pass at once, makes 50 wait, refuses the rest with Retry-After, and leaves others alone', async () => {
    // A bucket that fills slowly, so that it does not matter how long 300 requests are on their way.
    const slow = await startTestGateway({ PROXY_RATE_LIMITING_REQUESTS_PER_SECOND: '20' });
    const asked = async (path: string, token: Promise<string>): Promise<Response> =>
      fetch(`${slow.url}${path}`, { headers: { authorization: `Bearer ${await token}` } });
    const mine = slow.kubeconfigToken({ jti: 'busy' });
    const calls = Array.from({ length: 300 }, () => asked(pods, mine));
    const other = await asked(pods, slow.kubeconfigToken({ jti: 'idle' }));
    const rest = await asked('/api/v1/clusters', slow.provider.token());
    expect([other.status, rest.status]).toEqual([200, 200]);
    const answers = await Promise.all(calls);
    const refused = answers.filter(({ status }) => status === 429);
    const passed = answers.filter(({ status }) => status === 200);
    expect(passed.length + refused.length).toBe(300);
    expect(passed.length).toBeGreaterThanOrEqual(250);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(answer.headers.get('x-clustral-error-code')).toBe('RATE_LIMITED');
      expect(answer.headers.get('content-type')).toContain('text/plain');
    }
    await slow.stop();
  });
});
