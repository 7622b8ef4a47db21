import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { c1, sendRaw, startTestGateway, statusOf, type TestGateway } from './testing/gateway.ts';

let gateway: TestGateway;
let evil: Server;
let evilAt = '';
let evilConnections = 0;
let kubectl = '';
let person = '';

beforeAll(async () => {
  gateway = await startTestGateway();
  evil = createServer((socket) => {
    evilConnections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => evil.once('listening', resolve));
  evilAt = `127.0.0.1:${(evil.address() as AddressInfo).port}`;
  kubectl = `Authorization: Bearer ${await gateway.kubeconfigToken()}\r\n`;
  person = `Authorization: Bearer ${await gateway.provider.token()}\r\n`;
});
afterAll(async () => {
  evil.close();
  await gateway.stop();
});

const host = 'Host: clustral.example\r\n';
const pods = `/api/proxy/${c1}/api/v1/pods`;
const passedOn = (): number =>
  [gateway.controlPlane, gateway.audit, gateway.web].reduce((sum, { requests }) => sum + requests.length, 0);

/** Sends with a good token on both surfaces, expects the status, the end of the connection, and nothing behind. */
async function refusedOnBoth(
  head: (path: string, authorization: string) => string,
  status: number | readonly number[],
): Promise<void> {
  for (const [path, authorization] of [
    [pods, kubectl],
    ['/api/v1/clusters', person],
  ] as const) {
    const before = passedOn();
    const answer = await sendRaw(gateway.port, head(path, authorization));
    expect([status].flat(), answer).toContain(statusOf(answer));
    expect(answer.match(/^HTTP\/1\.1 \d/gm), answer).toHaveLength(1);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(passedOn()).toBe(before);
  }
}

describe('GW-02 length and coding', () => {
  it.each([
    ['a length, then a coding', 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG'],
    [
      'a coding, then a length',
      'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a signed length', 'Content-Length: +1\r\n\r\na'],
    ['a coding that is none', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked and then another', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['another and then chunked', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ])('%s is refused and nothing of it goes on', async (_, rest) => {
    await refusedOnBoth((path, authorization) => `POST ${path} HTTP/1.1\r\n${host}${authorization}${rest}`, 400);
  });

  it('a coding in HTTP/1.0 is refused', async () => {
    await refusedOnBoth(
      (path, authorization) =>
        `POST ${path} HTTP/1.0\r\n${host}${authorization}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    );
  });
});

describe('GW-03 header syntax', () => {
  it.each([
    ['a blank before the colon', 'Content-Length : 1\r\n\r\na'],
    ['a folded line', 'X: a\r\n Impersonate-Group: system:masters\r\n\r\n'],
    ['a bare line feed', 'X: a\nY: b\r\n\r\n'],
    ['a bare carriage return', 'X: a\rY: b\r\n\r\n'],
    ['a NUL', 'X: a\0b\r\n\r\n'],
  ])('%s is refused', async (_, rest) => {
    await refusedOnBoth((path, authorization) => `POST ${path} HTTP/1.1\r\n${host}${authorization}${rest}`, 400);
  });
});

describe('GW-04 other hosts', () => {
  it.each([
    ['two Host headers', () => `GET ${pods} HTTP/1.1\r\nHost: a\r\nHost: b\r\n${kubectl}\r\n`],
    ['no Host header', () => `GET ${pods} HTTP/1.1\r\n${kubectl}\r\n`],
    ['an absolute target', () => `GET http://${evilAt}/api/v1/clusters HTTP/1.1\r\n${host}${person}\r\n`],
    ['a target that names a host', () => `GET //${evilAt}/x HTTP/1.1\r\n${host}${person}\r\n`],
    ['a backslash', () => `GET /\\${evilAt}/x HTTP/1.1\r\n${host}${person}Connection: close\r\n\r\n`],
    ['two Authorization headers', () => `GET ${pods} HTTP/1.1\r\n${host}${kubectl}${kubectl}\r\n`],
  ])('%s is refused', async (_, request) => {
    const before = passedOn();
    expect(statusOf(await sendRaw(gateway.port, request()))).toBe(400);
    expect(passedOn()).toBe(before);
    expect(evilConnections).toBe(0);
  });

  it('PX-11 what looks like another host below the kubectl path goes to the control plane as it is', async () => {
    for (const path of [
      `/api/proxy/${c1}//${evilAt}/x`,
      `/api/proxy/${c1}@${evilAt}/`,
      `/api/proxy/${c1}/http://${evilAt}/`,
      `/api/proxy/${c1}/\\${evilAt}/x`,
    ]) {
      await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\n${host}${kubectl}Connection: close\r\n\r\n`);
      expect(gateway.controlPlane.requests.at(-1)?.url).toBe(path);
    }
    expect(evilConnections).toBe(0);
  });
});

describe('GW-05 asking for another protocol', () => {
  const second = 'GET /smug HTTP/1.1\r\nHost: a\r\n\r\n';
  it.each([
    ['h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n'],
    ['websocket with a body', `Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${second.length}\r\n\r\n`],
    ['a chunked body', 'Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['one of two', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n'],
  ])('%s is refused and what was pipelined goes nowhere', async (_, rest) => {
    await refusedOnBoth(
      (path, authorization) => `GET ${path} HTTP/1.1\r\n${host}${authorization}${rest}${second}`,
      400,
    );
    expect(gateway.web.requests.some(({ url }) => url === '/smug')).toBe(false);
  });

  it.each(['websocket', 'SPDY/3.1'])('%s is refused on REST, and what was pipelined goes nowhere', async (protocol) => {
    const before = passedOn();
    const answer = await sendRaw(
      gateway.port,
      `GET /api/v1/clusters HTTP/1.1\r\n${host}${person}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n${second}`,
    );
    expect(statusOf(answer)).toBe(400);
    expect(answer.match(/^HTTP\/1\.1 \d/gm)).toHaveLength(1);
    expect(passedOn()).toBe(before);
  });

  it('on the kubectl path costs a credential first', async () => {
    const answer = await sendRaw(
      gateway.port,
      `GET ${pods} HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n${second}`,
    );
    expect(statusOf(answer)).toBe(401);
    expect(answer).toContain('AUTHENTICATION_REQUIRED');
  });
});

describe('GW-06 methods', () => {
  it.each([
    ['TRACE', 405],
    ['PROPFIND', 405],
    ['TRACK', 400],
    ['get', 400],
  ] as const)('%s gets %i', async (method, status) => {
    await refusedOnBoth((path, authorization) => `${method} ${path} HTTP/1.1\r\n${host}${authorization}\r\n`, status);
  });

  it('CONNECT gets an answer', async () => {
    const answer = await sendRaw(gateway.port, `CONNECT ${evilAt} HTTP/1.1\r\n${host}\r\n`);
    expect(statusOf(answer)).toBe(405);
    expect(evilConnections).toBe(0);
  });
});

describe('GW-07 too many headers', () => {
  it.each([
    ['one of 20 KB', `X: ${'a'.repeat(20_480)}\r\n`],
    ['a cookie of 16 KB', `Cookie: ${'a'.repeat(16_384)}\r\n`],
    ['2,100 of them', 'x:1\r\n'.repeat(2_100)],
  ])('%s: 431, and never one left out', async (_, headers) => {
    await refusedOnBoth((path, authorization) => `GET ${path} HTTP/1.1\r\n${host}${headers}${authorization}\r\n`, 431);
  });

  it('1,000 headers arrive, the last one too', async () => {
    const answer = await sendRaw(
      gateway.port,
      `GET ${pods} HTTP/1.1\r\n${host}${'x:1\r\n'.repeat(996)}X-Last: yes\r\n${kubectl}Connection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(200);
    expect(gateway.controlPlane.header('x-last')).toEqual(['yes']);
    expect(gateway.controlPlane.header('x')).toHaveLength(996);
  });
});

describe('GW-08 odd header names', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is a header like any other', async (name) => {
    const lines = `${name}: x\r\n${name}: y\r\n`;
    const anonymous = await sendRaw(
      gateway.port,
      `GET /api/v1/clusters HTTP/1.1\r\n${host}${lines}Connection: close\r\n\r\n`,
    );
    expect(statusOf(anonymous)).toBe(401);
    for (const [path, authorization] of [
      [pods, kubectl],
      ['/api/v1/clusters', person],
    ]) {
      const answer = await sendRaw(
        gateway.port,
        `GET ${path} HTTP/1.1\r\n${host}${lines}${authorization}Connection: close\r\n\r\n`,
      );
      expect(statusOf(answer), path).toBe(200);
    }
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });
});

describe('GW-14 correlation ids from outside', () => {
  it.each([
    ['a plain one is kept', 'X-Correlation-Id: abc-1.2_3', 'abc-1.2_3'],
    ['markup is replaced', 'X-Correlation-Id: <script>', /^[0-9a-f]{32}$/],
    ['one of 10 KB is replaced', `X-Correlation-Id: ${'a'.repeat(10_240)}`, /^[0-9a-f]{32}$/],
    ['two are replaced', 'X-Correlation-Id: a\r\nX-Correlation-Id: b', /^[0-9a-f]{32}$/],
    ['an escape byte is replaced', 'X-Correlation-Id: a\x1bb', /^[0-9a-f]{32}$/],
  ])('%s', async (_, header, expected) => {
    const answer = await sendRaw(
      gateway.port,
      `GET ${pods} HTTP/1.1\r\n${host}${header}\r\n${kubectl}Connection: close\r\n\r\n`,
    );
    if (statusOf(answer) === 400) return;
    const [sent = ''] = gateway.controlPlane.header('x-correlation-id');
    expect(sent).toMatch(expected);
    expect(/x-correlation-id: (\S+)/i.exec(answer)?.[1]).toBe(sent);
  });

  it('a malformed or doubled traceparent goes no further', async () => {
    const good = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n';
    for (const header of ['traceparent: 00-xyz-01\r\n', good + good]) {
      await sendRaw(gateway.port, `GET ${pods} HTTP/1.1\r\n${host}${header}${kubectl}Connection: close\r\n\r\n`);
      expect(gateway.controlPlane.header('traceparent')).toEqual([]);
    }
    await sendRaw(gateway.port, `GET ${pods} HTTP/1.1\r\n${host}${good}${kubectl}Connection: close\r\n\r\n`);
    expect(gateway.controlPlane.header('traceparent')).toEqual([
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ]);
  });
});

describe('GW-22 where a request says it comes from', () => {
  const lies =
    'X-Forwarded-For: 1.2.3.4, 203.0.113.7\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: http\r\nForwarded: for=1.2.3.4\r\n';
  it.each([
    ['the kubectl path', pods, () => kubectl],
    ['REST', '/api/v1/clusters', () => person],
  ] as const)('is believed as far as trusted proxies wrote it, on %s', async (_, path, authorization) => {
    await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\n${host}${lies}${authorization()}Connection: close\r\n\r\n`);
    expect(gateway.controlPlane.header('x-forwarded-for')).toEqual(['203.0.113.7']);
    expect(gateway.controlPlane.header('forwarded')).toEqual([]);
    expect(gateway.controlPlane.header('x-forwarded-host')).not.toContain('evil');
    expect(gateway.controlPlane.header('x-forwarded-proto')).not.toContain('http');
  });
});

describe('a broken request behind a good one', () => {
  it("ends the connection without an answer that could be taken for the good one's", async () => {
    gateway.controlPlane.answer = () => undefined;
    const answer = await sendRaw(gateway.port, `GET ${pods} HTTP/1.1\r\n${host}${kubectl}\r\nGET / BROKEN\r\n\r\n`);
    expect(answer).toBe('');
  });
});
