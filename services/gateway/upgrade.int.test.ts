import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashOf, openStream, send, type StreamClient } from '@clustral/kernel/testing/stream-client.ts';
import { c1, eventually, sendRaw, startTestGateway, statusOf, type TestGateway } from './testing/gateway.ts';
import { writeServerCertificate } from './testing/server-certificate.ts';

let gateway: TestGateway;
let token = '';
let plainAnswer: TestGateway['controlPlane']['answer'];
beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.kubeconfigToken();
  plainAnswer = gateway.controlPlane.answer;
});
beforeEach(() => {
  gateway.controlPlane.answer = plainAnswer;
  gateway.controlPlane.upgrade = switched(() => undefined);
  gateway.controlPlane.requests.length = 0;
});
afterAll(() => gateway.stop());

const exec = `/api/proxy/${c1}/api/v1/namespaces/n/pods/p/exec?command=sh&stdin=true`;
const websocket = 'Upgrade: websocket\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n';
const spdy =
  'Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v5.channel.k8s.io\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n';

const head = ({ method = 'GET', more = websocket, bearer = token } = {}): string =>
  `${method} ${exec} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${bearer}\r\nConnection: Upgrade\r\n${more}\r\n`;
const open = (ask?: Parameters<typeof head>[0]): Promise<StreamClient> => openStream(gateway.port, head(ask));
const asked = () => gateway.controlPlane.requests.filter(({ url }) => url === exec);

/** A control plane that answers 101 as asked, and then does that. */
function switched(then: (socket: Socket) => void) {
  return (socket: Socket, request: IncomingMessage): void => {
    const { upgrade = '' } = request.headers;
    const lines = [
      'Connection: Upgrade',
      `Upgrade: ${upgrade}`,
      'X-Correlation-Id: theirs',
      'X-Stream-Protocol-Version: v5',
    ];
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    then(socket);
  };
}
const echo = switched((socket) => void socket.pipe(socket));

const smuggled = 'GET /api/proxy/x/api/v1/secrets HTTP/1.1\r\nHost: a\r\nImpersonate-Group: system:masters\r\n\r\n';

describe('a request to leave HTTP', () => {
  it.each([
    ['GET', websocket, 'websocket'],
    ['POST', spdy, 'SPDY/3.1'],
  ])('UP-03 goes on by %s as it came, and so does its 101', async (method, more, protocol) => {
    const client = await open({ method, more });
    expect(client.head.split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'X-Correlation-Id: theirs',
      'X-Stream-Protocol-Version: v5',
      expect.stringMatching(/^traceresponse: /),
      'connection: Upgrade',
      `upgrade: ${protocol}`,
      expect.stringMatching(/^Date: /),
    ]);
    expect(asked().map((request) => request.method)).toEqual([method]);
    expect(gateway.controlPlane.header('upgrade')).toEqual([protocol]);
    expect(gateway.controlPlane.header('connection').map((line) => line.toLowerCase())).toEqual(['upgrade']);
    expect(gateway.controlPlane.header('x-internal-token')).toHaveLength(1);
    expect(gateway.controlPlane.header('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(gateway.controlPlane.header('authorization')).toEqual([]);
    if (method === 'POST') {
      expect(gateway.controlPlane.header('x-stream-protocol-version')).toEqual([
        'v5.channel.k8s.io',
        'v4.channel.k8s.io',
      ]);
    }
    client.socket.destroy();
  });

  it('UP-02 PX-05 PX-06 PX-07 PX-08 loses what claims somebody else, and keeps what must be refused behind', async () => {
    const lines = [
      'Connection: X-Internal-Token, Authorization, X-Foo, Impersonate-Group',
      'X-Foo: 1',
      'X-Internal-Token: forged',
      'X-Clustral-Impersonate-User: admin',
      'X-Remote-User: admin',
      'Cookie: a=b',
      'TE: trailers',
      'Keep-Alive: 5',
      'Proxy-Authorization: x',
      'Impersonate-Group: system:masters',
      '',
    ].join('\r\n');
    const client = await open({ more: lines + websocket });
    const names = asked()[0]
      ?.rawHeaders.filter((_, at) => at % 2 === 0)
      .map((name) => name.toLowerCase());
    expect(names?.toSorted()).toEqual([
      'connection',
      'host',
      'impersonate-group',
      'sec-websocket-key',
      'upgrade',
      'x-correlation-id',
      'x-forwarded-for',
      'x-internal-token',
    ]);
    expect(gateway.controlPlane.header('x-internal-token')).not.toContain('forged');
    client.socket.destroy();
  });

  it('UP-02 needs a credential, and counts against its limit', async () => {
    expect((await open({ bearer: `${token}x` })).status).toBe(401);
    const slow = await startTestGateway({
      PROXY_RATE_LIMITING_BURST_SIZE: '2',
      PROXY_RATE_LIMITING_REQUESTS_PER_SECOND: '1',
      PROXY_RATE_LIMITING_QUEUE_SIZE: '0',
    });
    slow.controlPlane.upgrade = echo;
    const bearer = await slow.kubeconfigToken();
    const clients = [];
    for (let count = 0; count < 3; count += 1) clients.push(await openStream(slow.port, head({ bearer })));
    expect(clients.map(({ status }) => status)).toEqual([101, 101, 429]);
    expect(clients[2]?.head.toLowerCase()).toContain('retry-after: ');
    for (const { socket } of clients) socket.destroy();
    await slow.stop();
  });

  it('ends the connection when an earlier request on it is still being answered', async () => {
    gateway.controlPlane.answer = () => undefined;
    const plain = `GET /api/proxy/${c1}/api/v1/pods HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    expect(await sendRaw(gateway.port, plain + head())).toBe('');
    expect(asked()).toEqual([]);
  });

  it('is a 502 when nobody answers', async () => {
    gateway.controlPlane.upgrade = (socket) => void socket.destroy();
    const answer = await sendRaw(gateway.port, head());
    expect(statusOf(answer)).toBe(502);
    expect(answer).toContain('x-clustral-error-code: UPSTREAM_UNREACHABLE');
    expect(asked()).toHaveLength(1);
  });
});

describe('UP-01 a refused upgrade', () => {
  const forbidden = 'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno!';
  it.each([
    ['403 to a WebSocket', websocket, forbidden],
    ['403 to SPDY', spdy, forbidden],
    ['200 in place of a 101', websocket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n'],
  ])('UP-01 by %s is an ordinary answer, and nothing behind its head goes on', async (name, more, text) => {
    gateway.controlPlane.upgrade = (socket) => void socket.write(text);
    const answer = await sendRaw(gateway.port, head({ more }) + smuggled);
    expect(statusOf(answer)).toBe(Number.parseInt(name, 10));
    expect(answer).toContain('no!');
    expect(answer.toLowerCase()).toContain('\r\nconnection: close');
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(gateway.controlPlane.requests.map((request) => request.body().length)).toEqual([0]);
  });

  it('UP-01 keeps what comes early for a 101 that comes late', async () => {
    const waiting = Promise.withResolvers<() => void>();
    gateway.controlPlane.upgrade = (socket, request) => waiting.resolve(() => echo(socket, request));
    const opening = openStream(gateway.port, `${head()}early bytes`);
    const answer = await waiting.promise;
    // A second in which nothing may go on.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(asked()[0]?.body().length).toBe(0);
    answer();
    const client = await opening;
    client.socket.write(', late bytes');
    await eventually(() => client.received.toString() === 'early bytes, late bytes');
    client.socket.destroy();
  });
});

describe('UP-03 the bytes of a stream', () => {
  it('UP-03 arrive as they are, 10 MB at once both ways', async () => {
    gateway.controlPlane.upgrade = echo;
    const client = await open();
    const bytes = randomBytes(10 << 20);
    send(client.socket, bytes);
    await eventually(() => client.bytes === bytes.length, 20_000);
    expect(hashOf(client.received)).toBe(hashOf(bytes));
    client.socket.end();
    await eventually(() => client.closed);
    expect(client.ended).toBe(true);
  });

  it('UP-03 end in each direction by themselves, whichever ends first', async () => {
    const servers: Socket[] = [];
    gateway.controlPlane.upgrade = switched((socket) => void servers.push(socket));
    const first = await open();
    first.socket.end('all of stdin');
    await eventually(() => asked()[0]?.complete === true);
    expect([asked()[0]?.body().toString(), first.ended]).toEqual(['all of stdin', false]);
    servers[0]?.end('exit code 7');
    await eventually(() => first.closed);
    expect([first.received.toString(), first.ended]).toEqual(['exit code 7', true]);

    const second = await open();
    servers[1]?.end('said all');
    await eventually(() => second.ended);
    second.socket.end('and more');
    await eventually(() => asked()[1]?.complete === true && second.closed);
    expect(asked().map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(asked()[1]?.body().toString()).toBe('and more');
  });

  it('UP-03 wait for a client that does not read', async () => {
    let sent = 0;
    gateway.controlPlane.upgrade = switched((socket) => {
      const chunk = Buffer.alloc(65_536);
      const pump = (): void => {
        let more = true;
        while (more && sent < 256 << 20) {
          more = socket.write(chunk);
          sent += chunk.length;
        }
      };
      socket.on('drain', pump);
      pump();
    });
    const client = await open();
    client.socket.pause();
    let [before, since] = [0, 0];
    await eventually(() => {
      if (sent !== before) since = performance.now();
      before = sent;
      return performance.now() - since > 300;
    });
    expect(sent).toBeLessThan(32 << 20);
    client.socket.destroy();
  });
});

describe('a stream that breaks', () => {
  it('is broken off for the control plane when its client is gone', async () => {
    gateway.controlPlane.upgrade = echo;
    const client = await open();
    client.socket.resetAndDestroy();
    await eventually(() => asked()[0]?.aborted === true, 2_000);
  });

  it('is broken off for its client when the control plane is gone, and looks like no end', async () => {
    const servers: Socket[] = [];
    gateway.controlPlane.upgrade = switched((socket) => void servers.push(socket));
    const client = await open();
    servers[0]?.write('half an ');
    await eventually(() => client.bytes > 0);
    servers[0]?.resetAndDestroy();
    await eventually(() => client.closed, 2_000);
    expect(client.ended).toBe(false);
  });

  it.each(['resetAndDestroy', 'destroy'] as const)(
    'is given up before its 101 when its client is gone (%s)',
    async (how) => {
      gateway.controlPlane.upgrade = () => undefined;
      const client = connect(gateway.port, '127.0.0.1');
      client.write(head());
      await eventually(() => asked().length === 1);
      client[how]();
      await eventually(() => asked()[0]?.complete === true, 2_000);
    },
  );

  it('F-29 ends with the gateway: what is new is refused, what is open is broken off in time', async () => {
    const other = await startTestGateway();
    other.controlPlane.upgrade = echo;
    const bearer = await other.kubeconfigToken();
    const client = await openStream(other.port, head({ bearer }));
    expect(client.status).toBe(101);
    const late = connect(other.port, '127.0.0.1');
    let answer = '';
    late.on('data', (chunk) => (answer += chunk.toString('latin1')));
    const [first, rest] = [head({ bearer }).slice(0, 20), head({ bearer }).slice(20)];
    await new Promise<unknown>((resolve) => late.write(first, resolve));
    const began = performance.now();
    const stopped = other.stop();
    late.write(rest);
    await stopped;
    expect(performance.now() - began).toBeLessThan(4_500);
    expect([statusOf(answer), answer.includes('x-clustral-error-code: UPSTREAM_UNAVAILABLE')]).toEqual([503, true]);
    await eventually(() => client.closed);
    expect(client.ended).toBe(false);
  });
});

describe('a stream in TLS', () => {
  it('UP-03 ends in each direction by itself there too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const ca = await writeServerCertificate(key, cert);
    const tls = await startTestGateway({ TLS_CERT_PATH: cert, TLS_KEY_PATH: key });
    const [bearer, servers] = [await tls.kubeconfigToken(), [] as Socket[]];
    tls.controlPlane.upgrade = switched((socket) => void servers.push(socket));
    const client = await openStream({ port: tls.port, ca }, head({ bearer }));
    const bytes = randomBytes(1 << 20);
    send(client.socket, bytes);
    client.socket.end();
    const request = tls.controlPlane.requests[0];
    await eventually(() => request?.complete === true);
    expect(hashOf(request?.body() ?? Buffer.alloc(0))).toBe(hashOf(bytes));
    servers[0]?.end(bytes);
    await eventually(() => client.closed);
    expect([client.ended, hashOf(client.received)]).toEqual([true, hashOf(bytes)]);
    await tls.stop();
    rmSync(folder, { recursive: true });
  });
});
