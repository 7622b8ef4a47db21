import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { afterBody, createServerIdentity, type Recorded } from './testing/api-server.ts';
import { lines, linesOf } from './testing/header-lines.ts';
import { startServed, type Served } from './testing/served.ts';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.stop());
beforeEach(() => served.reset());

const only = (): Recorded => {
  const [first, ...more] = served.api.proxied;
  if (!first || more.length > 0) throw new Error(`${served.api.proxied.length} requests were recorded, not one`);
  return first;
};

describe('what the API server is told', () => {
  it('is who asks, and nothing that came along about it (PX-03 to PX-08)', async () => {
    const { status } = await served.get({
      method: 'DELETE',
      target: '/api/v1/a%2Fb//c;x=1?x=%26&y=+%20\xe9',
      headers: lines(
        'Accept: application/json',
        'X-One: a',
        'X-One: b',
        'User-Agent: kubectl/v1.33',
        'Impersonate-User: admin',
        'IMPERSONATE-GROUP: system:masters',
        'Impersonate_Group: system:masters',
        'Impersonate-Uid: 0',
        'impersonate-extra-scopes: x',
        'Impersonate-Anything-New: 1',
        'X-Clustral-Impersonate-Group: system:masters',
        'X-Remote-User: root',
        'x_remote_group: system:masters',
        'Connection: close, impersonate-user, x-foo',
        'X-Foo: 1',
        'TE: trailers',
        'Trailer: x',
        'Keep-Alive: 1',
        'Proxy-Connection: x',
        'Proxy-Authorization: Basic x',
        'Cookie: a=b',
        'Authorization: Bearer stolen',
        'Host: evil',
        'Upgrade: websocket',
        'Transfer-Encoding: chunked',
        'X-Forwarded-For: 1.2.3.4',
        'Audit-ID: forged',
        'X-Internal-Token: x',
        'Expect: 100-continue',
      ),
      impersonateUser: 'alice@corp.com',
      impersonateGroups: ['a', 'b', 'CN=ops team,OU=x'],
      requestId: '7b0a9b36-0f4f-4f0e-8f39-3f6a3d2f0c11',
    });
    expect(status).toBe(200);
    const { method, target, headers } = only();
    expect({ method, target }).toEqual({ method: 'DELETE', target: '/api/v1/a%2Fb//c;x=1?x=%26&y=+%20\xe9' });
    expect(headers).toEqual(
      lines(
        'accept: application/json',
        'x-one: a',
        'x-one: b',
        'user-agent: kubectl/v1.33',
        'authorization: Bearer service-account-token',
        'impersonate-user: alice@corp.com',
        'impersonate-group: a',
        'impersonate-group: b',
        'impersonate-group: CN=ops team,OU=x',
        'audit-id: 7b0a9b36-0f4f-4f0e-8f39-3f6a3d2f0c11',
      ),
    );
  });

  it.each(['josé@x', '山@x', 'a b@x'])('is the name %s in its UTF-8 bytes (PX-15)', async (name) => {
    const { status } = await served.get({ impersonateUser: name, impersonateGroups: [name] });
    expect(status).toBe(200);
    const bytes = Buffer.from(name, 'utf8').toString('latin1');
    expect(linesOf(only().headers, 'impersonate-user')).toEqual([bytes]);
    expect(linesOf(only().headers, 'impersonate-group')).toEqual([bytes]);
  });

  it.each([
    ['nobody', { impersonateUser: '' }],
    ['a name of two lines', { impersonateUser: 'a\r\nimpersonate-group: system:masters' }],
    ['a name with a blank at its end', { impersonateUser: 'system:admin ' }],
    ['an empty group', { impersonateGroups: [''] }],
    ['a group of two lines', { impersonateGroups: ['a\nb'] }],
    ['a target that is none', { target: 'http://evil/' }],
    ['a target with a line break', { target: '/a\r\nhost:evil' }],
    ['a method that is a tunnel', { method: 'CONNECT' }],
  ])('is nothing at all for %s', async (_, said) => {
    expect(await served.get(said)).toMatchObject({ result: 'AGENT_ERROR' });
    expect(served.api.proxied).toEqual([]);
  });

  it('is a body as it was sent, of any size', async () => {
    served.api.answer = afterBody(({ response, body }) => response.end(String(body.length)));
    const open = served.open({ method: 'POST', bodyless: false, headers: ['content-type', 'application/json'] });
    const body = Buffer.alloc(5_000_000, 'abcdefg');
    for (let at = 0; at < body.length; at += 65_536) {
      const drains = open.drains;
      if (!open.exchange.write(body.subarray(at, at + 65_536)))
        await until('there is room', () => open.drains > drains);
    }
    open.exchange.end();
    await open.over;
    expect(open.body).toBe('5000000');
    expect(only().body.equals(body)).toBe(true);
  });

  it('is one request, however it answers: nothing is followed or repeated (PX-12, D22)', async () => {
    served.api.answer = ({ response }) => {
      response.writeHead(307, { location: 'https://evil/' });
      response.end();
    };
    const { status, headers } = await served.get();
    expect({ status, location: linesOf(headers, 'location') }).toEqual({ status: 307, location: ['https://evil/'] });
    served.api.answer = ({ response }) => response.stream.destroy(new Error('no'));
    expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR' });
    served.api.answer = () => served.api.cut();
    expect(await served.get({ method: 'POST' })).toMatchObject({ result: 'AGENT_ERROR' });
    expect(served.api.proxied).toHaveLength(3);
  });
});

describe('what the API server answers', () => {
  it('comes back line by line', async () => {
    served.api.answer = ({ response }) => {
      response.stream.additionalHeaders({ ':status': 103, link: 'early' });
      response.setHeader('warning', ['299 - a', '299 - b']);
      response.setHeader('x-bytes', '\xc3\xa9');
      response.writeHead(207);
      response.addTrailers({ 'x-late': '1' });
      response.end('hello');
    };
    const { status, headers, body } = await served.get();
    expect({ status, body }).toEqual({ status: 207, body: 'hello' });
    expect(linesOf(headers, 'warning')).toEqual(['299 - a', '299 - b']);
    expect(linesOf(headers, 'x-bytes')).toEqual(['\xc3\xa9']);
    expect(headers).not.toContain('x-late');
    expect(headers).not.toContain('early');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('has no body for %s with %i', async (method, status) => {
    served.api.answer = ({ response }) => response.writeHead(status, { etag: '"1"' }).end();
    expect(await served.get({ method })).toMatchObject({ result: status, body: '' });
  });

  it('is large and whole', async () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    served.api.answer = ({ response }) => {
      for (let sent = 0; sent < 20; sent += 1) response.write(piece);
      response.end();
    };
    const { bytes, result } = await served.get();
    expect({ bytes, result }).toEqual({ bytes: 20_000_000, result: 200 });
  });

  it('never looks whole when it was cut off', async () => {
    for (const cut of [
      ({ response }: Recorded) => response.stream.destroy(new Error('a handler that fails')),
      () => served.api.cut(),
    ]) {
      served.api.answer = (request) => {
        request.response.writeHead(200);
        request.response.write('half of', () => setImmediate(cut, request));
      };
      expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR' });
    }
  });

  it('is passed on event by event, and its head before the first one', async () => {
    let send: (text: string) => void = () => undefined;
    served.api.answer = ({ response }) => {
      response.stream.respond({ ':status': 200 });
      send = (text) => response.write(text);
    };
    const watch = await served.open({ target: '/api/v1/pods?watch=true' }).begun;
    expect(watch.status).toBe(200);
    for (const event of ['one', 'two', 'three']) {
      send(event);
      await until('the event is here', () => watch.body.endsWith(event), 500);
    }
    watch.exchange.cancel();
    await until('the API server saw the end', () => only().closed, 2_000);
  });

  it('may come before the whole request was sent', async () => {
    served.api.answer = ({ response }) => response.writeHead(413).end('too large');
    const open = served.open({ method: 'POST', bodyless: false });
    open.exchange.write(Buffer.alloc(1000));
    await open.over;
    expect({ result: open.result, body: open.body }).toEqual({ result: 413, body: 'too large' });
    expect(await served.get()).toMatchObject({ result: 413 });
  });
});

describe('an API server in trouble (F-20, F-35)', () => {
  it('that does not begin to answer is given up in time, and told so', async () => {
    served.api.answer = () => undefined;
    const began = performance.now();
    expect(await served.get({ headTimeoutMs: 1_000 })).toMatchObject({ result: 'TUNNEL_TIMEOUT' });
    expect(performance.now() - began).toBeLessThan(1_900);
    await until('the API server saw the end', () => only().closed, 1_000);
  });

  it('is not asked without a whole token of this agent', async () => {
    const { tokenPath } = served.api;
    for (const text of ['', '   \n', 'eyJhbGciOi.half', 'two words']) {
      writeFileSync(tokenPath, text);
      expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR' });
    }
    rmSync(tokenPath);
    const { refusal } = await served.get();
    expect(refusal?.message).toContain(tokenPath);
    expect(served.api.proxied).toEqual([]);
    writeFileSync(tokenPath, 'rotated');
    expect(await served.get()).toMatchObject({ result: 200 });
    writeFileSync(`${tokenPath}.new`, 'swapped');
    renameSync(`${tokenPath}.new`, tokenPath);
    expect(await served.get()).toMatchObject({ result: 200 });
    expect(served.api.proxied.flatMap(({ headers }) => linesOf(headers, 'authorization'))).toEqual([
      'Bearer rotated',
      'Bearer swapped',
    ]);
    writeFileSync(tokenPath, 'service-account-token');
  });

  it('is not asked when it shows another certificate, or is not there, and the tunnel stays', async () => {
    const stranger = await createServerIdentity();
    writeFileSync(served.api.caPath, stranger.ca);
    served.api.cut();
    const untrusted = await served.get();
    expect(untrusted).toMatchObject({ result: 'AGENT_ERROR' });
    expect(untrusted.refusal?.message).toMatch(/certificate that is not trusted .*AGENT_KUBERNETES_CA_PATH/);
    expect(served.api.proxied).toEqual([]);
    expect(served.agent.connected()).toBe(true);
  });
});
