import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LaneRequest } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { callOf, carry, Carried } from './testing/carrying.ts';
import { enrolRaw, RawAgent, reply, type RawIdentity, type RawLane } from './testing/raw-agent.ts';
import { stalledBytes, startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
let clusterId: ClusterId;
let identity: RawIdentity;
beforeAll(async () => {
  world = await startTunnelWorld();
  const cluster = await world.register();
  clusterId = cluster.clusterId;
  identity = await enrolRaw(world.url, cluster);
});
afterAll(() => world.stop());

const open: RawAgent[] = [];
afterEach(async () => {
  for (const agent of open.splice(0)) agent.close();
  await until('all agents are gone', () => world.agents.presence(clusterId) === undefined);
});
async function connected(): Promise<RawAgent> {
  const agent = await new RawAgent(identity).connect(world.url);
  open.push(agent);
  return agent;
}
const get = (said = {}) => carry(world.agents, callOf(clusterId, said));
const ok = { head: { status: 200, headers: ['content-type', 'text/plain'] } };
const answerOk = (lane: RawLane, request: LaneRequest): void => {
  if (request.end) lane.send({ ...ok, data: Buffer.from(request.head?.requestId ?? 'body'), end: true });
};

describe('a request through a lane', () => {
  it('arrives as it was sent and is answered', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    lane.onRequest = () => {
      lane.send({ head: { status: 207, headers: ['x-a', '1', 'x-a', 'é'] }, data: Buffer.from('hello'), end: true });
    };
    const call = callOf(clusterId, {
      method: 'DELETE',
      target: '/api/a%2Fb;c?x=é',
      headers: ['x-one', 'é', 'x-two', ''],
      impersonateUser: 'josé 山',
      impersonateGroups: ['a', 'CN=ops team,OU=x'],
      headTimeoutMs: 5_000,
      lifetimeMs: 60_000,
    });
    const { status, headers, body } = await carry(world.agents, call);
    expect({ status, headers, body }).toEqual({ status: 207, headers: ['x-a', '1', 'x-a', 'é'], body: 'hello' });
    const [request] = lane.requests;
    expect(request).toMatchObject({ end: true });
    expect(request?.head).toMatchObject({
      method: 'DELETE',
      headers: ['x-one', 'é', 'x-two', ''],
      impersonateUser: 'josé 山',
      impersonateGroups: ['a', 'CN=ops team,OU=x'],
      requestId: call.requestId,
      upgrade: false,
    });
    // What the request waited for a lane is taken off both.
    expect(request?.head?.headTimeoutMs).toBeGreaterThan(4_000);
    expect(request?.head?.headTimeoutMs).toBeLessThanOrEqual(5_000);
    expect(Buffer.from(request?.head?.target ?? []).toString('latin1')).toBe('/api/a%2Fb;c?x=é');
    expect(Number(request?.head?.lifetimeMs)).toBeGreaterThan(59_000);
    expect(Number(request?.head?.lifetimeMs)).toBeLessThanOrEqual(60_000);
  });

  it('uses one lane for one request after the other', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    lane.onRequest = (request) => answerOk(lane, request);
    for (let i = 0; i < 20; i += 1) {
      const call = callOf(clusterId);
      expect((await carry(world.agents, call)).body).toBe(call.requestId);
    }
    expect(lane.requests).toHaveLength(20);
  });

  it('carries a body in pieces of any size, and its end', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    const received: Buffer[] = [];
    lane.onRequest = ({ data, end }) => {
      received.push(Buffer.from(data));
      if (end) lane.send({ ...ok, end: true });
    };
    const carried = new Carried(world.agents, callOf(clusterId, { method: 'POST', bodyless: false }));
    const pieces = [1, 4096, 4097, 65_536, 300_000].map((length, i) => Buffer.alloc(length, i + 1));
    for (const piece of pieces) carried.exchange.write(piece);
    carried.exchange.end();
    expect((await carried.over).result).toBe(200);
    expect(Buffer.concat(received).equals(Buffer.concat(pieces))).toBe(true);
    expect(lane.requests[0]?.end).toBe(false);
  });

  it('hands a long answer over as it comes', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    const carried = new Carried(world.agents, callOf(clusterId));
    await until('the request is there', () => lane.requests.length === 1);
    lane.send(ok);
    await carried.begun;
    expect(carried).toMatchObject({ status: 200, isDone: false });
    lane.send({ data: Buffer.from('one ') });
    await until('the first event is there', () => carried.bytes === 4);
    lane.send({ data: Buffer.alloc(500_000, 'x') }, { end: true });
    await carried.over;
    expect(carried.bytes).toBe(500_004);
  });

  it('is refused at once when no agent is connected', async () => {
    const began = performance.now();
    expect((await get()).result).toBe('AGENT_NOT_CONNECTED');
    expect(performance.now() - began).toBeLessThan(200);
  });

  it('is never told of anything before its caller has the exchange', () => {
    let told = false;
    const never = { head: () => undefined, data: () => true, end: () => undefined, drain: () => undefined };
    world.agents.open(callOf(clusterId), { ...never, fail: () => void (told = true) });
    expect(told).toBe(false);
  });

  it('carries the agent’s own failure by its code, and knows no code but those of an agent', async () => {
    const agent = await connected();
    let code = '';
    await agent.serve(1, (lane) => lane.send({ error: { code, message: 'because' } }));
    for (const [sent, told] of [
      ['AGENT_ERROR', 'AGENT_ERROR'],
      ['TUNNEL_TIMEOUT', 'TUNNEL_TIMEOUT'],
      ['TUNNEL_ERROR', 'TUNNEL_ERROR'],
      ['CREDENTIAL_REVOKED', 'TUNNEL_ERROR'],
      ['toString', 'TUNNEL_ERROR'],
    ]) {
      code = sent ?? '';
      const { refusal } = await get();
      expect(refusal).toMatchObject({ code: told, message: 'because' });
    }
  });

  it('is aborted, not ended, when the failure comes after the head', async () => {
    const agent = await connected();
    await agent.serve(1, (lane) => {
      lane.send(ok, { data: Buffer.from('half') }, { error: { code: 'AGENT_ERROR', message: 'broken' } });
    });
    const carried = await get();
    expect(carried).toMatchObject({ status: 200, isDone: false, refusal: { code: 'AGENT_ERROR' } });
  });

  it('that is answered before its body is whole costs its lane and nothing else', async () => {
    const agent = await connected();
    const [first, second] = [await agent.lane(), await agent.lane()];
    for (const lane of [first, second]) {
      lane.onRequest = (request) => {
        if (request.head) lane.send({ head: { status: 413, headers: [] }, end: true });
      };
    }
    const carried = new Carried(world.agents, callOf(clusterId, { method: 'POST', bodyless: false }));
    carried.exchange.write(Buffer.alloc(10));
    expect((await carried.over).result).toBe(413);
    carried.exchange.write(Buffer.alloc(10));
    carried.exchange.end();
    await until('the lane is reset', () => first.isOpen !== second.isOpen);
    expect((await get()).result).toBe(413);
  });
});

describe('a request that is given up', () => {
  it('resets its lane, and no handler is called after', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    const carried = new Carried(world.agents, callOf(clusterId));
    await until('the request is there', () => lane.requests.length === 1);
    carried.exchange.cancel();
    lane.send({ ...ok, data: Buffer.from('late'), end: true });
    await until('the lane is reset', () => !lane.isOpen);
    carried.exchange.write(Buffer.from('x'));
    carried.exchange.end();
    carried.exchange.resume();
    carried.exchange.cancel();
    await agent.serve(1, answerOk);
    expect((await get()).result).toBe(200);
    expect(carried).toMatchObject({ status: undefined, bytes: 0, refusal: undefined, isDone: false });
  });

  it('ends when the head does not come in time', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    const carried = new Carried(world.agents, callOf(clusterId, { headTimeoutMs: 20_000 }));
    await until('the request is there', () => lane.requests.length === 1);
    world.pass(19_000);
    await Promise.race([carried.over, new Promise((resolve) => setTimeout(resolve, 1_100))]);
    expect(carried.refusal).toBeUndefined();
    world.pass(2_000);
    expect((await carried.over).refusal).toMatchObject({ code: 'TUNNEL_TIMEOUT' });
    await until('the lane is reset', () => !lane.isOpen);
  });

  it('ends with the access it rests on, also when its answer has begun', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    const carried = new Carried(world.agents, callOf(clusterId, { lifetimeMs: 10_000 }));
    await until('the request is there', () => lane.requests.length === 1);
    lane.send(ok);
    await carried.begun;
    world.pass(11_000);
    expect((await carried.over).refusal).toMatchObject({ code: 'TUNNEL_ERROR' });
  });

  it('is not sent at all when its time is over already', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    expect((await get({ lifetimeMs: 0 })).result).toBe('TUNNEL_ERROR');
    expect(lane.requests).toHaveLength(0);
  });

  it('is told when the connection is lost: before the head and after it', async () => {
    const agent = await connected();
    const lanes = [await agent.lane(), await agent.lane()];
    for (const lane of lanes) lane.onRequest = ({ head }) => head?.method === 'PUT' && lane.send(ok);
    const waiting = new Carried(world.agents, callOf(clusterId));
    const begun = await new Carried(world.agents, callOf(clusterId, { method: 'PUT' })).begun;
    await until('both are there', () => lanes.every(({ requests }) => requests.length === 1));
    agent.socket.destroy();
    expect((await waiting.over).result).toBe('TUNNEL_ERROR');
    expect(await begun.over).toMatchObject({ status: 200, isDone: false, refusal: { code: 'TUNNEL_ERROR' } });
  });
});

describe('a slow reader', () => {
  it('holds up its own lane only, and loses nothing', async () => {
    const agent = await connected();
    const total = 24 * 1024 * 1024;
    const bulk = (lane: RawLane): void => {
      lane.send(ok);
      const piece = reply({ data: Buffer.alloc(65_536, 'x') });
      for (let sent = 0; sent < total; sent += 65_536) lane.stream.write(piece);
      lane.send({ end: true });
    };
    await agent.serve(2, (lane, request) => (request.head?.method === 'PUT' ? bulk(lane) : answerOk(lane, request)));
    const slow = new Carried(world.agents, callOf(clusterId, { method: 'PUT' }));
    slow.wantsMore = false;
    await until('the window is full', () => slow.bytes > 0);
    for (let i = 0; i < 50; i += 1) expect((await get()).result).toBe(200);
    // What may be in flight is the window; nothing that came was handed over beyond the first pieces.
    expect(slow.bytes).toBeLessThan(4 * 1024 * 1024);
    slow.wantsMore = true;
    slow.exchange.resume();
    await slow.over;
    expect(slow).toMatchObject({ bytes: total, isDone: true });
  });

  it('that has taken nothing for longest is given up when all together hold too much', async () => {
    const agent = await connected();
    await agent.serve(3, (lane) => {
      lane.send(ok);
      const piece = reply({ data: Buffer.alloc(65_536, 'x') });
      for (let sent = 0; sent < 2 * stalledBytes; sent += 65_536) lane.stream.write(piece);
    });
    const readers: Carried[] = [];
    for (let i = 0; i < 3; i += 1) {
      const reader = new Carried(world.agents, callOf(clusterId));
      reader.wantsMore = false;
      readers.push(reader);
      await until('it is stalled', () => reader.bytes > 0);
    }
    const { refusal } = (await readers[0]?.over) ?? {};
    expect(refusal).toMatchObject({ code: 'TUNNEL_ERROR', metadata: { reason: 'stalled' } });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(readers.slice(1).every((reader) => reader.refusal === undefined)).toBe(true);
    for (const { exchange } of readers) exchange.cancel();
  });

  it('on the agent’s side stops the body until it reads on', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    lane.stream.pause();
    const carried = new Carried(world.agents, callOf(clusterId, { method: 'POST', bodyless: false }));
    let sent = 0;
    while (carried.exchange.write(Buffer.alloc(65_536)) && sent < 10_000) sent += 1;
    expect(sent).toBeLessThan(10_000);
    lane.onRequest = ({ end }) => end && lane.send({ ...ok, end: true });
    lane.stream.resume();
    await until('it drains', () => carried.drains > 0);
    carried.exchange.end();
    expect((await carried.over).result).toBe(200);
  });
});

describe('more requests than free lanes', () => {
  it('wait for the next one, and more lanes are asked for', async () => {
    const agent = await connected();
    await agent.serve(1, answerOk);
    const results = await Promise.all(Array.from({ length: 30 }, () => get()));
    expect(results.every(({ result }) => result === 200)).toBe(true);
    await until('lanes were asked for', () => agent.heard.some(({ case: kind }) => kind === 'lanes'));
    const targets = agent.heard.flatMap((message) => (message.case === 'lanes' ? message.value.idle : []));
    expect(targets[0]).toBeGreaterThan(4);
  });

  it('keep the body that comes while they wait', async () => {
    const agent = await connected();
    const carried = new Carried(world.agents, callOf(clusterId, { method: 'POST', bodyless: false }));
    expect(carried.exchange.write(Buffer.from('half '))).toBe(false);
    const received: Buffer[] = [];
    const lane = await agent.lane();
    lane.onRequest = ({ data, end }) => {
      received.push(Buffer.from(data));
      if (end) lane.send({ ...ok, end: true });
    };
    await until('it may go on', () => carried.drains > 0);
    carried.exchange.write(Buffer.from('and half'));
    carried.exchange.end();
    expect((await carried.over).result).toBe(200);
    expect(Buffer.concat(received).toString()).toBe('half and half');
  });

  it('give up after ten seconds, and are never sent then', async () => {
    const agent = await connected();
    const carried = new Carried(world.agents, callOf(clusterId));
    world.pass(10_000);
    expect((await carried.over).result).toBe('TUNNEL_TIMEOUT');
    const given = new Carried(world.agents, callOf(clusterId));
    given.exchange.cancel();
    const lane = await agent.lane();
    lane.onRequest = (request) => answerOk(lane, request);
    expect((await get()).result).toBe(200);
    expect(lane.requests).toHaveLength(1);
  });

  it('are refused at once when the last connection goes', async () => {
    const agent = await connected();
    const carried = new Carried(world.agents, callOf(clusterId));
    agent.close();
    expect((await carried.over).result).toBe('AGENT_NOT_CONNECTED');
  });
});
