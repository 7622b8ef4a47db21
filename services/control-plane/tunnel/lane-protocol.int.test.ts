import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  LaneResponseSchema,
  TunnelService,
  type LaneRequest,
  type LaneResponse,
} from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { Outbox } from '@clustral/kernel/outbox.ts';
import { callOf, carry, Carried } from './testing/carrying.ts';
import { enrolRaw, envelope, RawAgent, reply, type RawIdentity, type RawLane } from './testing/raw-agent.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

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

describe('an agent that breaks the protocol of a lane', () => {
  const data = Buffer.from('x');
  const cases: readonly (readonly [string, Buffer])[] = [
    ['data before a head', reply({ data })],
    ['an end before a head', reply({ end: true })],
    ['two heads', Buffer.concat([reply(ok), reply(ok)])],
    ['a status that is none', reply({ head: { status: 99, headers: [] } })],
    ['an upgrade that nobody asked for', reply({ head: { status: 101, headers: [] } })],
    ['a header with a line break', reply({ head: { status: 200, headers: ['x-a', 'b\r\nSet-Cookie: c'] } })],
    ['a header name with a blank', reply({ head: { status: 200, headers: ['x a', 'b'] } })],
    ['half a header', reply({ head: { status: 200, headers: ['x-a'] } })],
    ['a compressed message', envelope(data, 1)],
    ['a message of a gigabyte', Buffer.from([0, 0x40, 0, 0, 0])],
    ['a head without end', Buffer.from([0, 0, 0xff, 0xff, 0xff, 0x0a, 0xff, 0xff, 0x3f])],
    ['no protobuf at all', envelope(Buffer.from('hello, I am not protobuf'))],
    ['the end of a stream that is not its to end', envelope(Buffer.from('{}'), 2)],
  ];

  it.each(cases)('with %s loses that request and that lane, and nothing else', async (_, wire) => {
    const agent = await connected();
    const [bad, good] = [await agent.lane(), await agent.lane()];
    for (const lane of [bad, good]) {
      lane.onRequest = (request) =>
        request.head?.method === 'PUT' ? lane.stream.write(wire) : answerOk(lane, request);
    }
    const carried = await get({ method: 'PUT' });
    expect(carried.result).toBe('TUNNEL_ERROR');
    await until('one lane is reset', () => bad.isOpen !== good.isOpen);
    expect((await get()).result).toBe(200);
  });

  it('cannot put anything into the next answer: what follows an end resets the lane', async () => {
    const agent = await connected();
    const lane = await agent.lane();
    lane.onRequest = () => lane.send({ ...ok, end: true }, { head: { status: 200, headers: [] }, data, end: true });
    expect((await get()).result).toBe(200);
    await until('the lane is reset', () => !lane.isOpen);
  });

  it('that talks on a free lane loses it; an empty message says that it is idle', async () => {
    const agent = await connected();
    const [quiet, chatty] = [await agent.lane(), await agent.lane()];
    quiet.send({});
    chatty.send(ok);
    await until('the lane is reset', () => !chatty.isOpen);
    expect(quiet.isOpen).toBe(true);
    quiet.onRequest = (request) => answerOk(quiet, request);
    expect((await get()).result).toBe(200);
  });

  it('that leaves a lane half-way loses it, free or not', async () => {
    const agent = await connected();
    const [free, busy] = [await agent.lane(), await agent.lane()];
    const carried = new Carried(world.agents, callOf(clusterId));
    await until('the request is there', () => free.requests.length + busy.requests.length === 1);
    for (const lane of [free, busy]) lane.stream.end();
    expect((await carried.over).result).toBe('TUNNEL_ERROR');
    await until('both are gone', () => !free.isOpen && !busy.isOpen);
    await agent.serve(1, answerOk);
    expect((await get()).result).toBe(200);
  });

  it('that sends ten thousand tiny pieces is only slow', async () => {
    const agent = await connected();
    await agent.serve(1, (lane) => {
      lane.send(ok);
      for (let i = 0; i < 10_000; i += 1) lane.send({ data });
      lane.send({ end: true });
    });
    expect((await get()).bytes).toBe(10_000);
  });
});

describe('a stock Connect client at the other end', () => {
  it('serves the same lanes', async () => {
    const agent = await connected();
    const answers = new Outbox<LaneResponse>();
    const heard: LaneRequest[] = [];
    const say = (said: Parameters<typeof create<typeof LaneResponseSchema>>[1]) =>
      answers.push(create(LaneResponseSchema, said));
    const serving = (async () => {
      const lane = createClient(TunnelService, agent.transport).exchange(answers, { headers: agent.headers });
      for await (const request of lane) {
        heard.push(request);
        if (!request.end) continue;
        say({ ...ok, data: Buffer.from('from '), end: false });
        say({ data: Buffer.from('stock'), end: true });
      }
    })();
    for (let i = 0; i < 5; i += 1) {
      const carried = new Carried(world.agents, callOf(clusterId, { method: 'POST', bodyless: false }));
      carried.exchange.write(Buffer.from('ping'));
      carried.exchange.end();
      expect(await carried.over).toMatchObject({ status: 200, body: 'from stock' });
    }
    expect(heard.filter(({ head }) => head?.method === 'POST')).toHaveLength(5);
    expect(Buffer.concat(heard.map(({ data }) => data)).toString()).toBe('ping'.repeat(5));
    agent.close();
    await serving.catch(() => undefined);
  });
});
