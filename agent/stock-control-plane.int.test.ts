import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import type { LaneResponse } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { certificatesOf } from '@clustral/kernel/x509.ts';
import { realDisk } from './disk.ts';
import { IdentityFolder } from './identity-folder.ts';
import { afterBody, startApiServer, type ApiServer } from './testing/api-server.ts';
import { linesOf } from './testing/header-lines.ts';
import { Relay } from './testing/relay.ts';
import { startAgent, type TestAgent } from './testing/running-agent.ts';
import { StockControlPlane, type StockLane } from './testing/stock-control-plane.ts';
import type { RecordedUpgrade } from './testing/upgrades.ts';

const clusterId = '0b9f1f8e-5d0a-4f0e-9d3b-1c2d3e4f5a6b';
let stock: StockControlPlane;
let api: ApiServer;
let agent: TestAgent;
let folder: string;
let relay: Relay;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-'));
  [stock, api] = await Promise.all([StockControlPlane.start(clusterId), startApiServer()]);
  relay = await Relay.before(stock.url);
  agent = await startAgent({
    controlPlane: relay.url,
    clusterId,
    api,
    token: stock.token,
    folder,
    patience: { lookMs: 50, tryAgainMs: 60_000 },
  });
  await until('two connections have their lanes', () => stock.controls.size === 2 && stock.lanes.length >= 4);
});
afterEach(async () => {
  await agent.stop();
  await api.stop();
  await relay.stop();
  await stock.stop();
  rmSync(folder, { recursive: true, force: true });
});

const lane = (): StockLane => {
  const [first] = stock.lanes;
  if (!first) throw new Error('there is no lane');
  return first;
};
const head = {
  method: 'POST',
  target: Buffer.from('/api/v1/a%2Fb'),
  headers: ['accept', 'application/json', 'x-one', 'é'],
  impersonateUser: 'josé 山',
  impersonateGroups: ['a', 'b'],
  requestId: 'r-1',
  headTimeoutMs: 5_000,
  lifetimeMs: 60_000n,
};
const smuggled = Buffer.from('GET /api/v1/secrets HTTP/1.1\r\nImpersonate-Group: system:masters\r\n\r\n');
const text = (answer: readonly LaneResponse[]): string => Buffer.concat(answer.map(({ data }) => data)).toString();

describe('the agent and a stock Connect server', () => {
  it('understand each other about requests and answers, one after the other on one lane', async () => {
    api.answer = afterBody(({ response, body, headers }) => {
      response.setHeader('x-user', linesOf(headers, 'impersonate-user'));
      response.setHeader('x-group', linesOf(headers, 'impersonate-group').join());
      response.writeHead(201);
      response.end(body);
    });
    const one = lane();
    for (const messages of [
      [{ head, data: Buffer.from('hello'), end: true }],
      [{ head }, { data: Buffer.from('hel') }, {}, { data: Buffer.from('lo') }, { end: true }],
      [
        { head, data: Buffer.from('hel') },
        { data: Buffer.from('lo'), end: true },
      ],
    ]) {
      const answer = await one.ask(...messages);
      expect(text(answer)).toBe('hello');
      expect(answer[0]?.head?.status).toBe(201);
      expect(linesOf(answer[0]?.head?.headers ?? [], 'x-user')).toEqual([Buffer.from('josé 山').toString('latin1')]);
      expect(linesOf(answer[0]?.head?.headers ?? [], 'x-group')).toEqual(['a,b']);
    }
    expect(api.proxied).toHaveLength(3);
  });

  it('carry a large body both ways', async () => {
    api.answer = afterBody(({ response, body }) => response.end(body));
    const data = Buffer.alloc(3_000_000, '0123456789');
    const pieces = Array.from({ length: 3 }, (_, index) => ({
      data: data.subarray(index * 1_000_000, (index + 1) * 1_000_000),
    }));
    const answer = await lane().ask({ head }, ...pieces, { end: true });
    expect(Buffer.concat(answer.map((one) => one.data)).equals(data)).toBe(true);
  });

  it('name a failure', async () => {
    api.answer = () => api.cut();
    expect(await lane().ask({ head, end: true })).toMatchObject([{ error: { code: 'AGENT_ERROR' } }]);
  });

  it('agree on what is out of turn: it ends that lane only', async () => {
    const [bad, good] = stock.lanes;
    if (!bad || !good) throw new Error('there are no two lanes');
    await expect(bad.ask({ data: Buffer.from('x') })).rejects.toThrow();
    await expect((stock.lanes[1] ?? good).ask({ head, end: true }, { head, end: true })).rejects.toThrow();
    await until('other lanes were opened', () => stock.lanes.length >= 4);
    expect(text(await lane().ask({ head, end: true }))).toBe('ok');
  });

  it('keep as many idle lanes as were asked for, and one more for each that is taken', async () => {
    stock.say({ case: 'lanes', value: { idle: 10 } });
    await until('there are more lanes', () => stock.lanes.length === 20);
    api.answer = ({ response }) => void response.writeHead(200).write('begun');
    for (const busy of stock.lanes.slice(0, 5)) busy.requests.push({ head, end: true });
    await until('five more were opened', () => stock.lanes.length === 25);
    stock.say({ case: 'lanes', value: { idle: 1_000 } });
    await until('no more than the limit were opened', () => stock.lanes.length === 100);
  });

  it('say hello with versions, and beat', () => {
    const hellos = stock.ups.filter((message) => message.case === 'hello').map(({ value }) => value);
    expect(hellos).toHaveLength(2);
    expect(hellos[0]).toMatchObject({ agentVersion: '0.1.0', kubernetesVersion: 'v1.33.1' });
    expect(hellos[0]?.instanceId).toBe(hellos[1]?.instanceId);
    expect(stock.tokens.every((token) => token.startsWith('Bearer ey'))).toBe(true);
    return until('a heartbeat came', () => stock.ups.some((message) => message.case === 'heartbeat'));
  });
});

describe('an upgrade from a stock Connect server', () => {
  const upgrade = {
    ...head,
    upgrade: true,
    headers: ['Upgrade', 'SPDY/3.1', 'X-Stream-Protocol-Version', 'v4.channel.k8s.io'],
  };
  const begin = async (said: Partial<typeof upgrade> & { lifetimeMs?: bigint } = {}): Promise<StockLane> => {
    const one = lane();
    one.requests.push({ head: { ...upgrade, ...said } });
    expect((await one.next()).head?.status).toBe(101);
    return one;
  };
  const recorded = (): RecordedUpgrade => {
    const [first] = api.upgrades;
    if (!first) throw new Error('there was no upgrade');
    return first;
  };

  it('carries bytes to the API server after that has ended its own direction', async () => {
    api.upgrade = (request) => void request.answer(101).read();
    const one = await begin();
    recorded().socket.end('bye');
    const rest = await one.rest();
    expect(text(rest)).toBe('bye');
    for (let sent = 0; sent < 20; sent += 1) one.requests.push({ data: Buffer.alloc(50_000, 'x') });
    one.requests.push({ end: true });
    await until('all of it is there', () => recorded().ended);
    expect(recorded().bytes).toBe(1_000_000);
    expect(text(await one.ask({ head, end: true }))).toBe('ok');
  });

  it('carries bytes from the API server after the end of its own direction', async () => {
    api.upgrade = (request) => {
      request.answer(101).read();
      request.socket.on('end', () => request.socket.end(Buffer.alloc(1_000_000, 'y')));
    };
    const one = await begin();
    one.requests.push({ data: Buffer.from('standard input'), end: true });
    expect(text(await one.rest())).toHaveLength(1_000_000);
    expect(recorded().received.toString()).toBe('standard input');
    expect(text(await one.ask({ head, end: true }))).toBe('ok');
  });

  it.each<[string, (request: RecordedUpgrade) => void]>([
    ['no answer', () => undefined],
    ['a 403', (request) => void request.answer(403, ['Content-Length: 0'])],
    ['a 200', (request) => void request.answer(200, ['Content-Length: 0'])],
    ['a 101 after a while', (request) => void setTimeout(() => request.answer(101), 300)],
  ])('that sends bytes before its 101 loses its lane, and none of them is passed on: %s (UP-01)', async (_, answer) => {
    api.upgrade = (request) => answer(request.read());
    const one = lane();
    one.requests.push({ head: upgrade });
    await until('the API server was asked', () => api.upgrades.length === 1);
    one.requests.push({ data: smuggled });
    await until('the lane is gone', () => !stock.lanes.includes(one));
    await until('the connection is closed', () => recorded().left);
    expect(recorded().bytes).toBe(0);
    expect(api.proxied).toEqual([]);
  });

  it('that sends bytes along with its head loses its lane, and is not made (UP-01)', async () => {
    const [bad, good] = stock.lanes;
    if (!bad || !good) throw new Error('there are no two lanes');
    await expect(bad.ask({ head: upgrade, data: smuggled })).rejects.toThrow();
    expect(text(await good.ask({ head, end: true }))).toBe('ok');
    expect(api.upgrades).toEqual([]);
  });

  it('ends with its access when nothing is heard from the control plane any more (UP-05)', async () => {
    const began = performance.now();
    const one = await begin({ lifetimeMs: 1_500n });
    one.requests.push({ data: Buffer.from('x') });
    await until('the byte is there', () => recorded().bytes === 1);
    relay.fallSilent();
    await until('the API server was left', () => recorded().left);
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(1_400);
    expect(took).toBeLessThan(2_500);
  });
});

describe('what a control plane says on Control', () => {
  it('new CAs are kept when they still fit its certificate, and only then (D17)', async () => {
    const stored = async (): Promise<number> =>
      certificatesOf((await new IdentityFolder(folder, realDisk).load())?.caBundlePem ?? '').length;
    const next = await stock.anotherAuthority();
    stock.say({ case: 'trustBundle', value: { caBundlePem: next } });
    await until('the agent said no', () => agent.said.some((line) => line.includes('were not kept')));
    expect(await stored()).toBe(1);
    stock.say({ case: 'trustBundle', value: { caBundlePem: `${stock.caPem}\n${next}` } });
    await until('both are kept', async () => (await stored()) === 2);
  });

  it('a drain makes the agent connect again before it leaves', async () => {
    const before = [...stock.sessions];
    api.answer = ({ response }) => void setTimeout(() => response.end('late'), 700);
    const slow = lane().ask({ head, end: true });
    stock.say({ case: 'drain', value: { reconnectAfterMs: 10 } });
    await until('there are new connections', () => stock.sessions.size === 4);
    expect(text(await slow)).toBe('late');
    await until('the old ones are gone', () => before.every(({ destroyed }) => destroyed));
    expect(agent.connected()).toBe(true);
    expect(agent.said).toEqual([]);
  });

  it('a lower epoch than one seen before is nobody to talk to (D18)', async () => {
    stock.epoch = 7n;
    stock.sessions.values().next().value?.destroy();
    await until('it is back', () => stock.ups.filter(({ case: kind }) => kind === 'hello').length === 3);
    // The other connection is of the old epoch: it ends, and its successor names the new one.
    await until('both are back', () => stock.ups.filter(({ case: kind }) => kind === 'hello').length === 4);
    stock.epoch = 6n;
    for (const session of stock.sessions) session.destroy();
    await until('it was tried', () => stock.ups.filter(({ case: kind }) => kind === 'hello').length >= 6);
    expect(agent.connected()).toBe(false);
    stock.epoch = 8n;
    await until('it is connected again', () => agent.connected(), 15_000);
  }, 30_000);

  it('a refusal that nobody foresaw is said once and tried again', async () => {
    stock.refusal = new ConnectError('come back later', Code.Unavailable, undefined, [
      { desc: ErrorInfoSchema, value: { code: 'STORE_UNAVAILABLE' } },
    ]);
    for (const session of stock.sessions) session.destroy();
    await until('the agent said so', () => agent.said.some((line) => line.includes('STORE_UNAVAILABLE')));
    stock.refusal = undefined;
    await until('it is connected again', () => agent.connected(), 15_000);
  }, 30_000);
});
