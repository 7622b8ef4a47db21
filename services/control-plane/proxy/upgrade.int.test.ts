import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterId, RoleId } from '@clustral/schemas/ids.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { openStream, type StreamClient } from '@clustral/kernel/testing/stream-client.ts';
import { directAgents, startRecorder, type Recorder } from './testing/recorder.ts';
import { openRaw, sendRaw, type RawAnswer } from './testing/raw-client.ts';
import { echo, pour, settled, spdy, switched, websocket } from './testing/streams.ts';
import { startProxy, startWorld, until, type Listening, type Person, type World } from './testing/world.ts';

let world: World;
let recorder: Recorder;
let proxy: Listening;
let cluster: ClusterId;
let role: RoleId;
let alice: Person;

beforeAll(async () => {
  world = await startWorld();
  recorder = await startRecorder();
  cluster = await world.cluster('c1');
  role = await world.role('viewer', ['a', 'b']);
  alice = await world.person({ name: 'alice@corp.test', clusterId: cluster, roleId: role });
  proxy = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])));
});

afterAll(async () => {
  await proxy.stop();
  await recorder.stop();
  await world.stop();
});

beforeEach(() => {
  recorder.seen.length = 0;
  recorder.upgradeWith(switched(() => undefined));
});

const exec = '/api/v1/namespaces/n/pods/p/exec?container=app&command=sh&command=-c&stdin=true';
type Ask = { readonly method?: string; readonly token?: string; readonly more?: string; readonly target?: string };

const head = ({ method = 'GET', token = alice.token, more = websocket, target = exec }: Ask = {}): string =>
  `${method} /api/proxy/${cluster}${target} HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${token}\r\nConnection: Upgrade\r\n${more}\r\n`;

const open = (ask?: Ask): Promise<StreamClient> => openStream(proxy.port, head(ask));
const refused = (ask?: Ask, behind = ''): Promise<RawAnswer> => sendRaw(proxy.port, head(ask) + behind);

const smuggled = (): string =>
  `GET /api/proxy/${cluster}/api/v1/secrets HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\nImpersonate-Group: system:masters\r\n\r\n`;

describe('a request to leave HTTP', () => {
  it.each([
    ['GET', websocket, 'websocket'],
    ['POST', `${spdy}Content-Length: 0\r\n`, 'SPDY/3.1'],
  ])(
    'UP-03 by %s reaches the cluster as the person, with what the two ends agree on',
    async (method, more, protocol) => {
      recorder.upgradeWith(switched(() => undefined, ['Sec-WebSocket-Protocol: v5.channel.k8s.io', 'Set-Cookie: a=b']));
      const client = await open({ method, more });
      expect(client.head).toMatch(/^HTTP\/1\.1 101 /);
      expect(client.head).toContain(`\r\nUpgrade: ${protocol}`);
      expect(client.head).toContain('\r\nConnection: Upgrade');
      expect(client.head).toContain('\r\nSec-WebSocket-Protocol: v5.channel.k8s.io');
      expect(client.head).not.toMatch(/set-cookie|transfer-encoding|content-length|extensions/i);
      expect(recorder.seen.map((seen) => `${seen.method} ${seen.target}`)).toEqual([`${method} ${exec}`]);
      expect(recorder.last('upgrade')).toEqual([protocol]);
      expect(recorder.last('connection')).toEqual(['Upgrade']);
      expect(recorder.last('impersonate-user')).toEqual(['alice@corp.test']);
      expect(recorder.last('impersonate-group')).toEqual(['a', 'b']);
      if (protocol === 'SPDY/3.1')
        expect(recorder.last('x-stream-protocol-version')).toEqual(['v5.channel.k8s.io', 'v4.channel.k8s.io']);
      else expect(recorder.last('sec-websocket-key')).toEqual(['AQIDBAUGBwgJCgsMDQ4PEA==']);
      client.socket.destroy();
    },
  );

  it.each([
    ['h2c', 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'],
    ['two protocols', 'Upgrade: websocket, h2c\r\n'],
    ['a body', 'Upgrade: websocket\r\nContent-Length: 5\r\n'],
    ['a chunked body', 'Upgrade: websocket\r\nTransfer-Encoding: chunked\r\n'],
  ])('GW-05 with %s is refused', async (_, more) => {
    const answer = await refused({ more }, smuggled());
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([400, ['BAD_REQUEST']]);
    expect(recorder.seen).toEqual([]);
  });

  it('ends the connection when an earlier request on it is still being answered', async () => {
    recorder.answerWith(() => undefined);
    const plain = `GET /api/proxy/${cluster}/api/v1/pods HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\n\r\n`;
    const answer = await sendRaw(proxy.port, plain + head());
    expect(answer.text).toBe('');
    expect(recorder.seen.some(({ target }) => target === exec)).toBe(false);
  });
});

describe('UP-01 a refused upgrade', () => {
  const forbidden = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!';
  it.each([
    ['403 to a WebSocket', websocket, forbidden],
    ['403 to SPDY', spdy, forbidden],
    ['200 in place of a 101', websocket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno!\r\n0\r\n\r\n'],
  ])('UP-01 by %s is an ordinary answer, and nothing behind its head is read', async (name, more, text) => {
    recorder.upgradeWith((socket) => void socket.write(text));
    const answer = await refused({ more }, smuggled());
    expect(answer.status).toBe(Number.parseInt(name, 10));
    expect(answer.body).toContain('no!');
    expect(answer.headers.get('connection')).toEqual(['close']);
    expect(answer.text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(recorder.seen.map(({ body: behind }) => behind.length)).toEqual([0]);
  });

  it.each([302, 307, 308])('PX-12 %i is followed by nobody and not passed on', async (status) => {
    const redirect = `HTTP/1.1 ${status} X\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n`;
    recorder.upgradeWith((socket) => void socket.write(redirect));
    const answer = await refused();
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([502, ['AGENT_ERROR']]);
    expect(recorder.seen).toHaveLength(1);
  });

  it('UP-01 keeps what comes early for a 101 that comes late', async () => {
    const begin = Promise.withResolvers<() => void>();
    recorder.upgradeWith((socket, request) => begin.resolve(() => echo(socket, request)));
    const opening = openStream(proxy.port, `${head()}early bytes`);
    const answer = await begin.promise;
    // A second in which nothing may go on.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(recorder.seen[0]?.body.length).toBe(0);
    answer();
    const client = await opening;
    client.socket.write(', late bytes');
    await until('all comes back', () => client.received.toString() === 'early bytes, late bytes');
    client.socket.destroy();
  });

  it('UP-01 does not read on while nobody wants what comes', async () => {
    const asked = Promise.withResolvers<Socket>();
    recorder.upgradeWith((socket) => asked.resolve(socket));
    const client = openRaw(proxy.port, head());
    let written = 0;
    pour(client.socket, (bytes) => (written += bytes));
    await settled(() => written);
    expect(written).toBeLessThan(16 << 20);
    (await asked.promise).write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    await until('the answer ends the connection', () => client.closed);
    expect(recorder.seen.map(({ body }) => body.length)).toEqual([0]);
  });
});

describe('UP-02 the headers of an upgrade', () => {
  it.each([
    'Impersonate-User: admin',
    'Impersonate-Group: system:masters',
    'IMPERSONATE-GROUP: system:masters',
    'Impersonate-Uid: 0',
    'Impersonate-Extra-acme.com%2Fp: y',
    'Impersonate_Group: a',
    'Impersonate-Anything-New: 1',
  ])('UP-02 PX-03 PX-04 with %j are refused and nothing arrives', async (line) => {
    for (const more of [websocket, spdy]) {
      const answer = await refused({ more: `${line}\r\n${more}` }, smuggled());
      expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([
        403,
        ['IMPERSONATION_NOT_ALLOWED'],
      ]);
    }
    expect(recorder.seen).toEqual([]);
  });

  it('UP-02 PX-05 PX-06 PX-07 PX-08 say nothing of who asks', async () => {
    const lines = [
      'Connection: close, Impersonate-User, Impersonate-Group, Authorization, X-Internal-Token, X-Foo, Upgrade',
      'X-Clustral-Impersonate-Group: system:masters',
      'X-Foo: 1',
      'TE: trailers',
      'Trailer: Impersonate-Group',
      'Keep-Alive: 5',
      'Proxy-Connection: x',
      'Cookie: a=b',
      'Authorization: Bearer forged',
      'Proxy-Authorization: x',
      'X-Remote-User: admin',
      'X-Remote-Group: system:masters',
      'X-Remote-Extra-a: b',
      `Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${'a'.repeat(20)}, v4.channel.k8s.io`,
      'Sec-WebSocket-Extensions: permessage-deflate',
      '',
    ].join('\r\n');
    const client = await open({ more: lines + websocket });
    expect(client.status).toBe(101);
    const names = (recorder.seen[0]?.rawHeaders ?? [])
      .filter((_, at) => at % 2 === 0)
      .map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual([
      'audit-id',
      'authorization',
      'connection',
      'host',
      'impersonate-group',
      'impersonate-group',
      'impersonate-user',
      'sec-websocket-extensions',
      'sec-websocket-key',
      'sec-websocket-protocol',
      'sec-websocket-version',
      'upgrade',
    ]);
    expect(recorder.last('authorization')).toEqual(['Bearer agent']);
    expect(recorder.last('impersonate-user')).toEqual(['alice@corp.test']);
    expect(recorder.last('sec-websocket-protocol')).toEqual(['v5.channel.k8s.io, v4.channel.k8s.io']);
    client.socket.destroy();
  });

  it('UP-02 need the token that every request needs', async () => {
    expect((await refused({ token: 'x' })).status).toBe(401);
    const bob = await world.person({ name: `bob-${randomUUID()}@corp.test`, clusterId: cluster });
    expect((await refused({ token: bob.token })).headers.get('x-clustral-error-code')).toEqual(['NO_ROLE_ASSIGNMENT']);
    expect(recorder.seen).toEqual([]);
  });

  it('UP-02 PX-22 hold no token that goes on or is stored', async () => {
    const client = await open({ target: '/api/v1/namespaces/n/pods/q/exec?command=sh&access_token=s3cr3t' });
    client.socket.resetAndDestroy();
    await until('it is on record', async () => (await recordsOf('q')).length === 2);
    expect(JSON.stringify((await recordsOf('q')).map(({ data }) => data))).not.toContain('s3cr3t');
  });
});

const recordsOf = async (pod: string) =>
  (await world.records(cluster)).filter(({ type, data }) => type === 'proxy.request' && data.request.name === pod);

describe('UP-08 the record of an exec', () => {
  it('UP-08 by WebSocket is one of a create, and says pod, container and command before the 101', async () => {
    let onRecord = 0;
    recorder.upgradeWith((socket, request) => {
      // What is asked only after the record is durable finds it there.
      void recordsOf('w').then((records) => {
        onRecord = records.length;
        echo(socket, request);
      });
    });
    const client = await open({ target: exec.replace('/p/', '/w/') });
    expect(onRecord).toBe(1);
    client.socket.end('ls\n');
    await until('it is over', () => client.closed);
    await until('the end is on record', async () => (await recordsOf('w')).length === 2);
    const [started, ended] = (await recordsOf('w')).map(({ data }) => data);
    expect(started).toMatchObject({
      phase: 'started',
      strict: true,
      userId: alice.userId,
      request: {
        method: 'GET',
        verb: 'create',
        resource: 'pods',
        subresource: 'exec',
        namespace: 'n',
        name: 'w',
        container: 'app',
        command: ['sh', '-c'],
        recognised: true,
      },
    });
    expect(ended).toMatchObject({
      phase: 'ended',
      outcome: { status: 101, end: 'completed', bytesSent: 3, bytesReceived: 3, errorCode: null },
    });
  });

  it('UP-08 is made for every stream, whatever its path', async () => {
    const client = await open({ target: '/api/v1/namespaces/n/pods?watch=1&fieldSelector=metadata.name=streamed' });
    client.socket.resetAndDestroy();
    await until('it is on record', async () => (await recordsOf('streamed')).length === 2);
    expect((await recordsOf('streamed')).map(({ data }) => 'phase' in data && data.phase)).toEqual([
      'started',
      'ended',
    ]);
  });

  it('UP-08 D12 comes before everything: while it cannot be written nothing is asked', async () => {
    const writable = Promise.withResolvers<void>();
    const { store } = world;
    const slow = Object.assign(Object.create(store) as EventStore, {
      async append(...facts: Parameters<EventStore['append']>) {
        await writable.promise;
        return store.append(...facts);
      },
    });
    const other = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])), { store: slow });
    const opening = openStream(other.port, head());
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(recorder.seen).toEqual([]);
    writable.resolve();
    const client = await opening;
    expect([client.status, recorder.seen.length]).toEqual([101, 1]);
    client.socket.destroy();
    await other.stop();
  });
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('UP-10 the number of streams', () => {
  it('UP-10 D41 is 50 of a credential at most, and nothing is left of them', async () => {
    recorder.upgradeWith(echo);
    const before = descriptors();
    const carol = await world.person({ name: `carol-${randomUUID()}@corp.test`, clusterId: cluster, roleId: role });
    const clients = await Promise.all(Array.from({ length: 200 }, () => open({ token: carol.token })));
    const statuses = clients.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 101).length,
      statuses.filter((status) => status === 429).length,
    ]).toEqual([50, 150]);
    expect(clients.find(({ status }) => status === 429)?.head.toLowerCase()).toContain('\r\nretry-after: 1');
    // Plain requests have places of their own.
    recorder.answerWith((_request, response) => response.end('{}'));
    const plain = `GET /api/proxy/${cluster}/api/v1/pods HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${carol.token}\r\nConnection: close\r\n\r\n`;
    expect((await sendRaw(proxy.port, plain)).status).toBe(200);
    for (const { socket } of clients) socket.resetAndDestroy();
    await until('all are gone', () => recorder.seen.every(({ closed, target }) => closed || target !== exec));
    // A few may be somebody else's for a moment: the log is in this process too.
    await until('no descriptor is left of them', () => descriptors() < before + 5);
    const again = await open({ token: carol.token });
    expect(again.status).toBe(101);
    again.socket.destroy();
  });
});
