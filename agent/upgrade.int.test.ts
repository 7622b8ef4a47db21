import { createHash, randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Carried } from '@clustral/control-plane/tunnel/testing/carrying.ts';
import { until } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { lines, linesOf } from './testing/header-lines.ts';
import { startServed, type Served } from './testing/served.ts';
import type { RecordedUpgrade } from './testing/upgrades.ts';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.stop());
beforeEach(() => served.reset());

const exec = '/api/v1/namespaces/a/pods/b/exec?command=sh';
const webSocket = lines(
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.dG9rZW4',
  'Sec-WebSocket-Extensions: permessage-deflate',
);
const spdy = lines(
  'Upgrade: SPDY/3.1',
  'X-Stream-Protocol-Version: v4.channel.k8s.io',
  'X-Stream-Protocol-Version: v3.channel.k8s.io',
);

const ask = (said: Parameters<Served['open']>[0] = {}): Carried =>
  served.open({ upgrade: true, bodyless: false, target: exec, headers: webSocket, ...said });

const only = (): RecordedUpgrade => {
  const [first, ...more] = served.api.upgrades;
  if (!first || more.length > 0) throw new Error(`${served.api.upgrades.length} upgrades were recorded, not one`);
  return first;
};

/** Sends it with back-pressure, and then the end. */
async function send(open: Carried, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += 65_536) {
    const { drains } = open;
    if (open.exchange.write(bytes.subarray(at, at + 65_536))) continue;
    await until('there is room', () => open.drains > drains, 20_000);
  }
  open.exchange.end();
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a request to leave HTTP', () => {
  it('reaches the API server as who asks, without a name or a token of theirs (UP-02, PX-08)', async () => {
    const open = await ask({
      headers: [
        ...webSocket,
        ...lines(
          'Impersonate-User: admin',
          'impersonate_group: system:masters',
          'X-Remote-User: root',
          'Authorization: Bearer stolen',
          'Cookie: a=b',
          'Host: evil',
          'Connection: close, x-foo',
          'X-Foo: 1',
          'Transfer-Encoding: chunked',
          'HTTP2-Settings: AAMAAABkAAQAAP__',
          'Trailer: impersonate-user',
          'X-Kept: 1',
        ),
      ],
      impersonateUser: 'josé',
      impersonateGroups: ['a', 'b'],
      requestId: 'r-1',
    }).begun;
    expect(open.status).toBe(101);
    const { method, target, headers, socket } = only();
    expect({ method, target, alpn: socket.alpnProtocol }).toEqual({ method: 'GET', target: exec, alpn: 'http/1.1' });
    expect(headers).toEqual(
      lines(
        `Host: ${new URL(served.api.url).host}`,
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version: 13',
        'sec-websocket-protocol: v5.channel.k8s.io',
        'sec-websocket-extensions: permessage-deflate',
        'x-kept: 1',
        'authorization: Bearer service-account-token',
        'impersonate-user: jos\xc3\xa9',
        'impersonate-group: a',
        'impersonate-group: b',
        'audit-id: r-1',
        'connection: Upgrade',
        'upgrade: websocket',
      ),
    );
    open.exchange.cancel();
  });

  it('of SPDY keeps each protocol version and has no body', async () => {
    const open = await ask({ method: 'POST', headers: [...spdy, 'Content-Length', '0'] }).begun;
    const { method, headers } = only();
    expect(method).toBe('POST');
    expect(linesOf(headers, 'x-stream-protocol-version')).toEqual(['v4.channel.k8s.io', 'v3.channel.k8s.io']);
    expect(linesOf(headers, 'upgrade')).toEqual(['SPDY/3.1']);
    expect(linesOf(headers, 'content-length')).toEqual(['0']);
    expect(linesOf(open.headers, 'upgrade')).toEqual(['SPDY/3.1']);
    open.exchange.cancel();
  });

  it.each([
    ['to HTTP/2', { headers: lines('Upgrade: h2c') }],
    ['to two protocols', { headers: lines('Upgrade: websocket', 'Upgrade: h2c') }],
    ['to a list of protocols', { headers: lines('Upgrade: websocket, h2c') }],
    ['to nothing', { headers: [] }],
    ['with a body', { method: 'POST', headers: [...spdy, 'Content-Length', '5'] }],
    ['by another method', { method: 'PUT' }],
    ['as nobody', { impersonateUser: '' }],
    ['at another place', { target: 'http://evil/' }],
  ])('%s is not made at all', async (_, said) => {
    expect((await ask(said).over).result).toBe('AGENT_ERROR');
    expect(served.api.upgrades).toEqual([]);
  });
});

describe('an upgraded connection', () => {
  it('begins with what came behind the 101', async () => {
    served.api.upgrade = (request) =>
      void request.answer(101, ['Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Accept: x'], 'first');
    const open = await ask().begun;
    expect(open.status).toBe(101);
    expect(open.headers).toEqual(lines('Sec-WebSocket-Accept: x', 'Upgrade: WebSocket'));
    await until('the first bytes are here', () => open.body === 'first');
    open.exchange.cancel();
  });

  it('carries ten megabytes each way at once, byte for byte, and the end after them (UP-03)', async () => {
    const [up, down] = [randomBytes(10_000_000), randomBytes(10_000_000)];
    served.api.upgrade = (request) => void request.answer(101).read().socket.end(down);
    const open = await ask().begun;
    await send(open, up);
    await open.over;
    await until('all of it is there', () => only().ended, 20_000);
    expect(sha256(only().received)).toBe(sha256(up));
    expect(sha256(Buffer.concat(open.chunks))).toBe(sha256(down));
    expect(open.refusal).toBeUndefined();
  });

  it('passes an end on to the API server, which may answer for long after it (UP-03)', async () => {
    served.api.upgrade = (request) => {
      request.answer(101).read();
      request.socket.on('end', () => {
        request.socket.write('all of it: ');
        setTimeout(() => request.socket.end(String(request.bytes)), 200);
      });
    };
    const open = await ask().begun;
    open.exchange.write(Buffer.from('standard input'));
    open.exchange.end();
    await open.over;
    expect({ body: open.body, isDone: open.isDone }).toEqual({ body: 'all of it: 14', isDone: true });
  });

  it('is on a connection of its own, and its lane is used again when both directions have ended', async () => {
    const busy = await served.get();
    expect(busy.status).toBe(200);
    const shared = served.api.connections;
    for (let round = 0; round < 30; round += 1) {
      const open = await ask().begun;
      open.exchange.write(Buffer.from('hello'));
      open.exchange.end();
      await open.over;
      expect(open.body).toBe('hello');
      expect(await served.get()).toMatchObject({ result: 200 });
    }
    expect(served.api.connections - shared).toBe(30);
    await until('all are closed', () => served.api.upgrades.every(({ left }) => left));
  });

  it('does not fill our memory when one side does not read', async () => {
    served.api.upgrade = (request) => {
      request.answer(101);
      const more = (): void => {
        while (!request.socket.destroyed && request.socket.write(Buffer.alloc(1_000_000)));
      };
      request.socket.on('drain', more);
      more();
    };
    const open = ask();
    open.wantsMore = false;
    await open.begun;
    expect(await stuckAfter(open)).toBeLessThan(60_000_000);
    await until('the API server waits too', () => only().socket.writableLength > 0);
    expect(only().socket.bytesWritten).toBeLessThan(60_000_000);
    const { drains } = open;
    only().read();
    await until('there is room again', () => open.drains > drains);
    open.exchange.cancel();
  });

  it('that the API server breaks is never taken for one that it ended (F-04)', async () => {
    served.api.upgrade = (request) => void request.answer(101).read().socket.write('half');
    const open = await ask().begun;
    await until('half is here', () => open.body === 'half');
    only().reset();
    await open.over;
    expect(open.refusal).toMatchObject({
      code: 'AGENT_ERROR',
      message: expect.stringContaining('broke the connection'),
    });
    expect(await served.get()).toMatchObject({ result: 200 });
  });

  it('is closed at the API server at once when the person has gone', async () => {
    const open = await ask().begun;
    open.exchange.write(Buffer.from('x'));
    await until('the echo is here', () => open.body === 'x');
    const began = performance.now();
    open.exchange.cancel();
    await until('the API server saw the end', () => only().left, 2_000);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('ends with the access on which it rests, on the clock that nobody sets (UP-05)', async () => {
    const began = performance.now();
    const open = await ask({ lifetimeMs: 700 }).begun;
    await open.over;
    expect(open.refusal?.code).toBe('TUNNEL_ERROR');
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(650);
    expect(took).toBeLessThan(1_700);
    await until('the API server saw the end', () => only().left, 1_000);
  });
});

describe('an upgrade that is refused', () => {
  it('is answered as any request, and nothing behind it reaches the API server (UP-01)', async () => {
    served.api.upgrade = (request) =>
      void request.answer(403, ['Content-Type: text/plain', 'Content-Length: 9'], 'forbidden').read();
    const open = ask();
    await open.begun;
    open.exchange.write(Buffer.from('GET /api/v1/secrets HTTP/1.1\r\nImpersonate-Group: system:masters\r\n\r\n'));
    await open.over;
    expect({ result: open.result, body: open.body }).toEqual({ result: 403, body: 'forbidden' });
    await until('the connection is closed', () => only().left);
    expect(only().bytes).toBe(0);
    expect(served.api.proxied).toEqual([]);
  });

  it.each([
    [302, 'http://evil/'],
    [307, '//evil/'],
    [308, '/elsewhere'],
  ])('by a redirect (%i to %s) is not followed and not passed on (PX-12)', async (status, location) => {
    served.api.upgrade = (request) =>
      void request.answer(status, [`Location: ${location}`, 'Content-Length: 0']).read();
    const { refusal } = await ask().over;
    expect(refusal).toMatchObject({ code: 'AGENT_ERROR', message: expect.stringContaining('redirect') });
    expect(only().bytes).toBe(0);
  });

  it('by a 401 blames the agent and not the person, but for a service’s own (PX-27)', async () => {
    served.api.upgrade = (request) => void request.answer(401, ['Content-Length: 0']).read();
    const { refusal } = await ask().over;
    expect(refusal).toMatchObject({ code: 'AGENT_ERROR', message: expect.stringContaining('Your sign-in is fine') });
    const service = await ask({ target: '/api/v1/namespaces/a/services/b/proxy/socket' }).over;
    expect(service.result).toBe(401);
  });
});

describe('an answer to an upgrade that cannot be believed (PX-20)', () => {
  it.each([
    ['switches to something else', ['Connection: Upgrade', 'Upgrade: h2c']],
    ['switches to two things', ['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c']],
    ['does not say what it switches to', ['Connection: Upgrade', 'X-Y: 1']],
    ['is a 101 and no switch', ['Upgrade: websocket']],
    ['has a header that is none', ['Connection: Upgrade', 'Upgrade: websocket', 'a b']],
  ])('%s', async (_, headers) => {
    served.api.upgrade = (request) => void request.answer(101, headers, 'stolen').read();
    const { result, status, bytes } = await ask().over;
    expect({ result, status, bytes }).toEqual({ result: 'AGENT_ERROR', status: undefined, bytes: 0 });
    await until('the connection is closed', () => only().left);
  });

  it('is one that was cut off', async () => {
    for (const answer of [
      (request: RecordedUpgrade): void => request.reset(),
      (request: RecordedUpgrade): void => void request.socket.end('HTTP/1.1 101 Switch'),
      (request: RecordedUpgrade): void => void request.answer(403, ['Content-Length: 9'], 'half').socket.end(),
    ]) {
      served.reset();
      served.api.upgrade = answer;
      expect((await ask().over).result).toBe('AGENT_ERROR');
    }
  });

  it('is one that does not come', async () => {
    served.api.upgrade = (request) => void request.read();
    const began = performance.now();
    expect((await ask({ headTimeoutMs: 1_000 }).over).result).toBe('TUNNEL_TIMEOUT');
    expect(performance.now() - began).toBeLessThan(1_900);
    await until('the connection is closed', () => only().left, 1_000);
  });
});

describe('an upgrade at an API server that does not complete a handshake', () => {
  it('lets go of it when the person has gone', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => {
      sockets.add(socket.resume());
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const own = await startServed({}, () => ({ AGENT_KUBERNETES_API_URL: `https://127.0.0.1:${port}` }));
    const before = sockets.size;
    const open = own.open({ upgrade: true, bodyless: false, target: exec, headers: webSocket });
    await until('it is being dialled', () => sockets.size > before);
    open.exchange.cancel();
    await until('it is left', () => sockets.size <= before, 1_000);
    await own.stop();
    silent.close();
  });
});

/** Writes until nothing more is taken for a while; how many bytes that was. */
async function stuckAfter(open: Carried): Promise<number> {
  let sent = 0;
  for (;;) {
    const { drains } = open;
    const more = open.exchange.write(Buffer.alloc(500_000));
    sent += 500_000;
    if (more) continue;
    const isRoom = await until('there is room', () => open.drains > drains, 700).then(
      () => true,
      () => false,
    );
    if (!isRoom) return sent;
  }
}
