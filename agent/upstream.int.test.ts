import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import type { Carried } from '@clustral/control-plane/tunnel/testing/carrying.ts';
import { afterBody } from './testing/api-server.ts';
import { lines, linesOf } from './testing/header-lines.ts';
import { startServed, type Served } from './testing/served.ts';

describe('an API server that allows few streams on a connection', () => {
  let served: Served;
  beforeAll(async () => {
    served = await startServed({ maxConcurrentStreams: 10 });
  });
  afterAll(() => served.stop());
  beforeEach(() => served.reset());

  const watch = (): Carried => served.open({ target: '/api/v1/pods?watch=1' });

  it('gets further connections before the limit, and short requests stay short', async () => {
    served.api.answer = ({ response, target }) => {
      response.writeHead(200);
      if (target.includes('watch')) response.write('{}');
      else response.end('ok');
    };
    const watches = Array.from({ length: 100 }, watch);
    await Promise.all(watches.map(({ begun }) => begun));
    expect(watches.every(({ status }) => status === 200)).toBe(true);
    const began = performance.now();
    expect(await served.get()).toMatchObject({ result: 200 });
    expect(performance.now() - began).toBeLessThan(500);
    const longOnes = new Set(
      served.api.proxied.filter(({ target }) => target.includes('watch')).map((one) => one.connection),
    );
    const shortOnes = served.api.proxied.filter(({ target }) => !target.includes('watch')).map((one) => one.connection);
    expect(longOnes.size).toBeGreaterThanOrEqual(10);
    expect(shortOnes.some((connection) => longOnes.has(connection))).toBe(false);
    for (const { exchange } of watches) exchange.cancel();
    await until('all watches ended', () => served.api.proxied.every(({ closed }) => closed));
  });

  it('refuses more watches than its connections carry, with a sentence', async () => {
    served.api.answer = ({ response }) => void response.writeHead(200).write('{}');
    const watches = Array.from({ length: 200 }, watch);
    await Promise.all(watches.map(({ begun }) => begun));
    const refused = watches.filter(({ refusal }) => refusal !== undefined);
    expect(refused).toHaveLength(200 - 16 * 10);
    expect(refused[0]?.refusal).toMatchObject({
      code: 'AGENT_ERROR',
      message: expect.stringMatching(/as many requests open/),
    });
    for (const { exchange } of watches) exchange.cancel();
    await until('all watches ended', () => served.api.proxied.every(({ closed }) => closed));
  });

  it('makes more short requests at once wait for their turn', async () => {
    served.api.answer = ({ response }) => setTimeout(() => response.end('ok'), 5);
    const all = await Promise.all(Array.from({ length: 300 }, () => served.get()));
    expect(all.every(({ result }) => result === 200)).toBe(true);
    expect(served.api.proxied).toHaveLength(300);
  });

  it('may close its connections when it likes', async () => {
    expect(await served.get()).toMatchObject({ result: 200 });
    served.api.cut();
    await until('the connections are gone', () => served.api.openConnections === 0);
    expect(await served.get()).toMatchObject({ result: 200 });
  });
});

describe('an API server that speaks HTTP/1.1 only', () => {
  let served: Served;
  beforeAll(async () => {
    served = await startServed({ http1Only: true });
  });
  afterAll(() => served.stop());
  beforeEach(() => served.reset());

  it('is told the same', async () => {
    const { status, body } = await served.get({
      headers: [
        'Accept',
        'x',
        'X-One',
        'a',
        'X-One',
        'b',
        'Impersonate-User',
        'admin',
        'Connection',
        'x-foo',
        'X-Foo',
        '1',
      ],
      target: '/a%2F//b',
      impersonateUser: 'josé',
      impersonateGroups: ['a', 'b'],
      requestId: 'r-1',
    });
    expect({ status, body }).toEqual({ status: 200, body: 'ok' });
    const [request] = served.api.proxied;
    expect(request).toMatchObject({ httpVersion: '1.1', method: 'GET', target: '/a%2F//b' });
    expect(request?.headers).toEqual(
      lines(
        `Host: ${new URL(served.api.url).host}`,
        'accept: x',
        'x-one: a',
        'x-one: b',
        'authorization: Bearer service-account-token',
        'impersonate-user: jos\xc3\xa9',
        'impersonate-group: a',
        'impersonate-group: b',
        'audit-id: r-1',
        'Connection: keep-alive',
      ),
    );
  });

  it('gets bodies framed by their length or in chunks', async () => {
    served.api.answer = afterBody(({ response, body, headers }) => {
      response.setHeader(
        'x-framing',
        [...linesOf(headers, 'content-length'), ...linesOf(headers, 'transfer-encoding')].join(),
      );
      response.end(body);
    });
    for (const [headers, framing] of [
      [['content-length', '9'], '9'],
      [[], 'chunked'],
    ] as const) {
      const open = served.open({ method: 'POST', bodyless: false, headers: [...headers] });
      open.exchange.write(Buffer.from('four '));
      open.exchange.write(Buffer.from('five'));
      open.exchange.end();
      await open.over;
      expect({ body: open.body, result: open.result }).toEqual({ body: 'four five', result: 200 });
      expect(linesOf(open.headers, 'x-framing')).toEqual([framing]);
    }
    const bodyless = await served.get({ method: 'POST' });
    expect(linesOf(bodyless.headers, 'x-framing')).toEqual(['0']);
  });

  it('never gets a body of another length than announced: the next request could hide in it', async () => {
    served.api.answer = afterBody(({ response }) => response.end('ok'));
    for (const sent of ['12345GET /evil HTTP/1.1\r\n\r\n', '1234']) {
      const open = served.open({ method: 'POST', bodyless: false, headers: ['content-length', '5'] });
      open.exchange.write(Buffer.from(sent));
      open.exchange.end();
      await open.over;
      expect(open.result).toBe('AGENT_ERROR');
    }
    expect(served.api.proxied.some(({ target }) => target === '/evil')).toBe(false);
  });

  it.each([['Connection: Upgrade\r\nUpgrade: websocket\r\n'], ['Upgrade: websocket\r\n'], ['']])(
    'is not believed when it switches protocols unasked: %j (PX-20)',
    async (headers) => {
      served.api.answer = ({ response }) =>
        void response.socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\nstolen`);
      expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR', bytes: 0 });
      await until('the connection is closed', () => served.api.openConnections === 0);
    },
  );

  it('answers with streams and without bodies, and is cancelled', async () => {
    served.api.answer = ({ response, method }) => {
      response.writeHead(method === 'HEAD' ? 204 : 200);
      if (method === 'HEAD') response.end();
      else response.write('event');
    };
    expect(await served.get({ method: 'HEAD' })).toMatchObject({ result: 204, body: '' });
    const watch = await served.open({ target: '/api?watch=1' }).begun;
    await until('the event is here', () => watch.body === 'event');
    watch.exchange.cancel();
    await until('the API server saw the end', () => served.api.proxied.every(({ closed }) => closed), 2_000);
  });

  it('never looks whole when it was cut off, and is not asked twice', async () => {
    served.api.answer = ({ response }) => {
      response.writeHead(200);
      response.write('half', () => setImmediate(() => served.api.cut()));
    };
    expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR' });
    served.api.answer = () => served.api.cut();
    expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR' });
    expect(served.api.proxied).toHaveLength(2);
  });
});
