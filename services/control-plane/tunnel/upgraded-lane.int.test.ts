import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LaneRequest } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { LaneCall } from '../ports.ts';
import { callOf, Carried } from './testing/carrying.ts';
import { enrolRaw, RawAgent, type RawIdentity, type RawLane } from './testing/raw-agent.ts';
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

/** The one lane of an agent, and an upgrade on it that was answered with 101. */
async function switched(said: Partial<LaneCall> = {}): Promise<{ lane: RawLane; carried: Carried }> {
  const { lane, carried } = await asked(said);
  lane.send({ head: { status: 101, headers: ['upgrade', 'websocket'] } });
  await carried.begun;
  return { lane, carried };
}

async function asked(said: Partial<LaneCall> = {}): Promise<{ lane: RawLane; carried: Carried }> {
  const agent = await new RawAgent(identity).connect(world.url);
  open.push(agent);
  const lane = await agent.lane();
  const carried = new Carried(
    world.agents,
    callOf(clusterId, { upgrade: true, bodyless: false, headers: ['upgrade', 'websocket'], ...said }),
  );
  await until('the request is there', () => lane.requests.length === 1);
  return { lane, carried };
}

const received = ({ requests }: RawLane): string =>
  requests
    .map(({ head, data, end }) => `${head ? '[head]' : ''}${Buffer.from(data).toString()}${end ? '[end]' : ''}`)
    .join('');
const data = (text: string): { data: Buffer } => ({ data: Buffer.from(text) });

/** The lane carries the next request, so it is free. */
async function isFree(lane: RawLane): Promise<void> {
  lane.onRequest = (request: LaneRequest) => {
    if (request.head) lane.send({ head: { status: 204, headers: [] }, end: true });
  };
  const next = new Carried(world.agents, callOf(clusterId));
  expect((await next.over).result).toBe(204);
  expect(lane.requests.at(-1)?.head?.requestId).toBeDefined();
}

describe('a lane whose request leaves HTTP', () => {
  it('says so in the head, which ends nothing', async () => {
    const { lane } = await asked();
    const [{ head, end } = {}] = lane.requests;
    expect([head?.upgrade, head?.headers, end]).toEqual([true, ['upgrade', 'websocket'], false]);
  });

  it('UP-03 carries both ways, and is free when the agent has ended and then the client', async () => {
    const { lane, carried } = await switched();
    carried.exchange.write(Buffer.from('in'));
    lane.send(data('out'), { end: true });
    await carried.over;
    carried.exchange.write(Buffer.from(' and more'));
    carried.exchange.end();
    await until('all is there', () => received(lane) === '[head]in and more[end]');
    expect([carried.body, carried.result]).toEqual(['out', 101]);
    await isFree(lane);
  });

  it('UP-03 carries both ways, and is free when the client has ended and then the agent', async () => {
    const { lane, carried } = await switched();
    carried.exchange.write(Buffer.from('in'));
    carried.exchange.end();
    await until('all is there', () => received(lane) === '[head]in[end]');
    lane.send(data('out'));
    lane.send(data(', and more'), { end: true });
    await carried.over;
    expect([carried.body, carried.result]).toEqual(['out, and more', 101]);
    await isFree(lane);
  });

  it('UP-03 is free at once when both end in one turn', async () => {
    const { lane, carried } = await switched();
    lane.send({ end: true });
    carried.end = () => carried.exchange.end();
    await until('both have ended', () => received(lane) === '[head][end]');
    await isFree(lane);
  });

  it('UP-01 is free after an ordinary answer, when nothing more is sent', async () => {
    const { lane, carried } = await asked();
    lane.send({ head: { status: 403, headers: [] } });
    await carried.begun;
    carried.exchange.end();
    lane.send(data('no'), { end: true });
    expect((await carried.over).result).toBe(403);
    await isFree(lane);
  });

  it.each([
    ['sends on after its end', [{ end: true }, data('x')]],
    ['ends twice', [{ end: true }, { end: true }]],
    ['answers twice', [{ head: { status: 101, headers: ['upgrade', 'websocket'] } }]],
  ])('TN-12 fails when the agent %s', async (_, messages) => {
    const { lane, carried } = await switched();
    carried.end = () => undefined;
    lane.send(...messages);
    await carried.over;
    expect(carried.refusal?.code).toBe('TUNNEL_ERROR');
    await until('the lane is reset', () => !lane.isOpen);
  });

  it.each(['a failure', 'a reset'])('UP-03 fails by %s after the agent has ended, too', async (how) => {
    const { lane, carried } = await switched();
    const ended = Promise.withResolvers<void>();
    carried.end = ended.resolve;
    lane.send({ end: true });
    await ended.promise;
    if (how === 'a reset') lane.stream.close(8);
    else lane.send({ error: { code: 'AGENT_ERROR', message: 'The connection broke.' } });
    await carried.over;
    expect(carried.refusal?.code).toBe(how === 'a reset' ? 'TUNNEL_ERROR' : 'AGENT_ERROR');
  });

  it.each([false, true])('UP-04 is reset when the access ends, the agent having ended before: %s', async (hasEnded) => {
    const { lane, carried } = await switched();
    if (hasEnded) lane.send({ end: true });
    if (hasEnded) await carried.over;
    carried.exchange.cancel();
    carried.exchange.write(Buffer.from('never'));
    await until('the lane is reset', () => !lane.isOpen);
    expect(received(lane)).toBe('[head]');
  });

  it('UP-05 is given up by its own clock when the agent does not end it', async () => {
    const { lane, carried } = await switched({ lifetimeMs: 4_000 });
    world.pass(5_000);
    await carried.over;
    expect(carried.refusal?.code).toBe('TUNNEL_ERROR');
    await until('the lane is reset', () => !lane.isOpen);
  });
});
