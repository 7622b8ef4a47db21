import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../limits.ts';
import { SpdyClient } from '../testing/spdy-client.ts';
import { deletePod, runningPod, startPod, startTestCluster, type TestCluster, token } from '../testing/test-cluster.ts';

const clusters: TestCluster[] = [];
const opened: { destroy: () => void }[] = [];
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.destroy();
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
});

async function start(): Promise<{ cluster: TestCluster; pod: string }> {
  const cluster = await startTestCluster();
  clusters.push(cluster);
  return { cluster, pod: await runningPod(cluster) };
}

const asAdmin = {
  authorization: `Bearer ${token}`,
  'impersonate-user': 'admin@example.com',
  'impersonate-group': 'system:masters',
};
const path = (pod: string, rest: string): string => `/api/v1/namespaces/demo/pods/${pod}/${rest}`;

/** A WebSocket and the messages it brought: channel and text. */
async function openWebSocket(cluster: TestCluster, target: string, protocol: string) {
  const url = `${cluster.url.replace('https', 'wss')}${target}`;
  const socket = new WebSocket(url, [protocol], { ca: cluster.ca, headers: asAdmin });
  opened.push({ destroy: () => socket.terminate() });
  const messages: [channel: number, text: string][] = [];
  socket.on('message', (data: Buffer) => messages.push([data[0] ?? -1, data.subarray(1).toString()]));
  await once(socket, 'open');
  return {
    socket,
    text: (channel: number) => messages.flatMap(([from, text]) => (from === channel ? [text] : [])).join(''),
    messages,
    send: (channel: number, text: string) => socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)])),
    closed: once(socket, 'close').then(([code]) => code as number),
  };
}

/** Sends the head of an upgrade over a socket of its own and answers the head that comes back. */
async function upgrade(
  cluster: TestCluster,
  target: string,
  given: { method?: string; headers?: Record<string, string>; behind?: string } = {},
): Promise<{ socket: TLSSocket; head: string }> {
  const socket = connect({ port: cluster.port, host: '127.0.0.1', ca: cluster.ca, ALPNProtocols: ['http/1.1'] });
  opened.push(socket);
  socket.on('error', () => undefined);
  const headers = { host: 'demo', connection: 'Upgrade', upgrade: 'SPDY/3.1', ...asAdmin, ...given.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${given.method ?? 'POST'} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${given.behind ?? ''}`);
  let head = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    head += (chunk as Buffer).toString('latin1');
    if (head.includes('\r\n\r\n')) break;
  }
  return { socket, head };
}

async function openSpdy(cluster: TestCluster, target: string, protocol: string): Promise<SpdyClient> {
  const { socket, head } = await upgrade(cluster, target, { headers: { 'x-stream-protocol-version': protocol } });
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  return new SpdyClient(socket as Duplex);
}

describe('a session over a WebSocket', () => {
  it('says that it has begun, and how it ended', async () => {
    const { cluster, pod } = await start();
    const target = path(pod, 'exec?command=sh&command=-c&command=echo%20hi%3B%20exit%204&stdout=1&stderr=1');
    const session = await openWebSocket(cluster, target, 'v5.channel.k8s.io');
    expect(await session.closed).toBe(1000);
    expect(session.messages[0]).toEqual([1, '']);
    expect(session.text(1)).toBe('hi\n');
    expect(JSON.parse(session.text(3))).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'command terminated with non-zero exit code: exit status 4',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '4' }] },
    });
  });

  it('ends stdin by a message since version 5, which version 4 takes for nothing', async () => {
    const { cluster, pod } = await start();
    const target = path(pod, 'exec?command=cat&stdin=1&stdout=1');
    const [four, five] = await Promise.all([
      openWebSocket(cluster, target, 'v4.channel.k8s.io'),
      openWebSocket(cluster, target, 'v5.channel.k8s.io'),
    ]);
    for (const session of [four, five]) {
      session.send(0, 'one');
      session.socket.send(Buffer.from([255, 0]));
      session.send(0, 'two');
    }
    expect([await five.closed, five.text(1)]).toEqual([1000, 'one']);
    expect(JSON.parse(five.text(3))).toEqual({ metadata: {}, status: 'Success' });
    await vi.waitFor(() => expect(four.text(1)).toBe('onetwo'));
  });

  it('holds back a client whose stdin nobody reads, and others go on', async () => {
    const { cluster, pod } = await start();
    const stuck = path(pod, 'exec?command=sleep&command=infinity&stdin=1&stdout=1');
    const { socket } = await openWebSocket(cluster, stuck, 'v5.channel.k8s.io');
    for (let count = 0; count < 512; count += 1) socket.send(Buffer.alloc(64 * 1024));
    for (let count = 0; count < 10; count += 1) {
      const other = await openWebSocket(cluster, path(pod, 'exec?command=env&stdout=1'), 'v5.channel.k8s.io');
      await other.closed;
      expect(other.text(1)).toContain('LOG_LEVEL=info');
    }
    expect(socket.bufferedAmount).toBeGreaterThan(16 * 1024 * 1024);
  });

  it.each([
    ['a message over the limit', Buffer.alloc(limits.webSocketMessageBytes + 1), 1009],
    ['text', 'text', 1003],
  ])('ends at %s', async (_, message, code) => {
    const { cluster, pod } = await start();
    const session = await openWebSocket(cluster, path(pod, 'exec?command=cat&stdin=1&stdout=1'), 'v5.channel.k8s.io');
    session.socket.send(message);
    expect(await session.closed).toBe(code);
  });
});

describe('a session over SPDY', () => {
  it.each([
    ['v4.channel.k8s.io', '"reason":"NonZeroExitCode"'],
    ['v3.channel.k8s.io', 'command terminated with non-zero exit code: exit status 4'],
    ['v2.channel.k8s.io', 'command terminated with non-zero exit code: exit status 4'],
    ['channel.k8s.io', 'command terminated with non-zero exit code: exit status 4'],
  ])('%s tells how it ended', async (protocol, told) => {
    const { cluster, pod } = await start();
    const target = path(pod, 'exec?command=sh&stdin=true&stdout=true');
    const client = await openSpdy(cluster, target, protocol);
    const error = await client.open({ streamtype: 'error' });
    const stdin = await client.open({ streamtype: 'stdin' });
    const stdout = await client.open({ streamtype: 'stdout' });
    client.data(stdin, 'echo hi; exit 4\n', true);
    await client.until(() => client.hasEnded(error));
    expect([client.text(stdout), client.text(error)]).toEqual(['hi\n', expect.stringContaining(told)]);
    await client.frame('goaway');
  });

  it('refuses streams nobody asked for', async () => {
    const { cluster, pod } = await start();
    const client = await openSpdy(cluster, path(pod, 'exec?command=ls&stdout=true'), 'v4.channel.k8s.io');
    const unknown = await client.open({ streamtype: 'stdin' });
    expect((await client.frame('rst-stream')).streamId).toBe(unknown);
  });
});

describe('what is no session', () => {
  it.each([
    ['another protocol', { upgrade: 'h2c' }, 400],
    ['no version of the streams', {}, 403],
    ['an unknown version', { 'x-stream-protocol-version': 'v9.channel.k8s.io' }, 403],
    ['a WebSocket by POST', { upgrade: 'websocket', 'sec-websocket-protocol': 'v5.channel.k8s.io' }, 400],
    ['a wrong token', { authorization: 'Bearer guess' }, 401],
  ])('%s is refused and the connection closed, whatever comes behind', async (_, headers, code) => {
    const { cluster, pod } = await start();
    const behind = `DELETE ${path(pod, '')} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const { socket, head } = await upgrade(cluster, path(pod, 'exec?command=ls&stdout=true'), { headers, behind });
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${code} [^]*connection: close`, 'i'));
    expect(head.match(/HTTP\/1\.1/g)).toHaveLength(1);
    if (!socket.closed) await once(socket, 'close');
    expect((await cluster.ask({ path: path(pod, '').replace(/\/$/, '') })).status).toBe(200);
  });

  it('is a GET by somebody who may only get: Kubernetes asks for create since 1.35', async () => {
    const { cluster, pod } = await start();
    const rules = [{ apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['get'] }];
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/demo';
    await cluster.ask({ method: 'POST', path: `${rbac}/roles`, body: { metadata: { name: 'peek' }, rules } });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'peek' };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'peekers' }];
    const body = { metadata: { name: 'peek' }, roleRef, subjects };
    await cluster.ask({ method: 'POST', path: `${rbac}/rolebindings`, body });
    const headers = { 'impersonate-user': 'peeker', 'impersonate-group': 'peekers' };
    for (const part of ['exec?command=ls&stdout=1', 'attach?stdout=1', 'portforward']) {
      const { head } = await upgrade(cluster, path(pod, part), { method: 'GET', headers });
      expect(head).toMatch(/^HTTP\/1\.1 403 /);
    }
  });

  it('other requests that ask for an upgrade are answered as if they had not', async () => {
    const { cluster } = await start();
    const { head } = await upgrade(cluster, '/version', { method: 'GET' });
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('sessions end', () => {
  it('with their pod', async () => {
    const { cluster } = await start();
    const pod = await startPod(cluster, 'short');
    const session = await openWebSocket(cluster, path(pod, 'exec?command=cat&stdin=1&stdout=1'), 'v5.channel.k8s.io');
    await deletePod(cluster, pod);
    expect(await session.closed).toBe(1000);
    expect(session.text(3)).toContain('exit status 137');
  });

  it('with the server, at once when the client goes along', async () => {
    const { cluster, pod } = await start();
    const session = await openWebSocket(cluster, path(pod, 'exec?command=cat&stdin=1&stdout=1'), 'v5.channel.k8s.io');
    const client = await openSpdy(cluster, path(pod, 'portforward'), 'portforward.k8s.io');
    const stopping = cluster.stop();
    clusters.length = 0;
    expect(await session.closed).toBe(1000);
    expect((await client.frame('goaway')).status).toBe(0);
    client.close();
    await stopping;
  });

  it('and make room for others: there is a limit', async () => {
    const { cluster, pod } = await start();
    const target = path(pod, 'exec?command=cat&stdin=1&stdout=1');
    const sessions = await Promise.all(
      Array.from({ length: limits.remoteSessions }, () => openWebSocket(cluster, target, 'v5.channel.k8s.io')),
    );
    const { head } = await upgrade(cluster, target, { headers: { 'x-stream-protocol-version': 'v4.channel.k8s.io' } });
    expect(head).toMatch(/^HTTP\/1\.1 429 /);
    sessions[0]?.socket.send(Buffer.from([255, 0]));
    await sessions[0]?.closed;
    await openWebSocket(cluster, target, 'v5.channel.k8s.io');
  });
});
