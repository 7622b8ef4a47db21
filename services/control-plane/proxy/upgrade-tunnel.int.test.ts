import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import type { LaneRequest } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { hashOf, openStream, send, type StreamClient } from '@clustral/kernel/testing/stream-client.ts';
import { enrolRaw, RawAgent, reply, type RawLane } from '../tunnel/testing/raw-agent.ts';
import { startTunnelWorld, type TunnelWorld } from '../tunnel/testing/tunnel-world.ts';
import { sendRaw } from './testing/raw-client.ts';
import { settled } from './testing/streams.ts';
import { startProxy, startWorld, until, type Listening, type Person, type World } from './testing/world.ts';

let world: World;
let tunnel: TunnelWorld;
let agent: RawAgent;
let proxy: Listening;
let cluster: ClusterId;
let alice: Person;

beforeAll(async () => {
  [world, tunnel] = await Promise.all([startWorld(), startTunnelWorld()]);
  const registered = await tunnel.register();
  cluster = registered.clusterId;
  const data = { clusterId: cluster, name: 'c1', description: '', labels: {} };
  await world.append(clusterStream(cluster), { type: 'cluster.registered', data });
  const roleId = await world.role('viewer', ['viewers']);
  alice = await world.person({ name: `alice-${randomUUID()}@corp.test`, clusterId: cluster, roleId });
  agent = await new RawAgent(await enrolRaw(tunnel.url, registered)).connect(tunnel.url);
  proxy = await startProxy(world, tunnel.agents);
});

afterAll(async () => {
  await proxy.stop();
  agent.close();
  await tunnel.stop();
  await world.stop();
});

const clients: StreamClient[] = [];
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
});

const head = (): string =>
  `GET /api/proxy/${cluster}/api/v1/namespaces/n/pods/p/portforward HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

async function open(): Promise<StreamClient> {
  const client = await openStream(proxy.port, head());
  expect(client.status).toBe(101);
  clients.push(client);
  return client;
}

const accept = (lane: RawLane): void => lane.send({ head: { status: 101, headers: ['upgrade', 'websocket'] } });

/** A pod behind the agent that sends everything back, with back-pressure towards the tunnel. */
function echo(lane: RawLane, { head, data, end }: LaneRequest): void {
  if (head) accept(lane);
  if (data.length === 0 && !end) return;
  if (lane.stream.write(reply({ data, end }))) return;
  lane.stream.pause();
  lane.stream.once('drain', () => lane.stream.resume());
}

type Reader = { bytes: number };

/** A client that only counts. */
async function reader(): Promise<Reader> {
  const { socket } = await open();
  const counted = { bytes: 0 };
  socket.removeAllListeners('data').on('data', (chunk: Buffer) => (counted.bytes += chunk.length));
  return counted;
}

/** Milliseconds that they take to read 4 MB more each, side by side. */
async function timed(readers: readonly Reader[]): Promise<number> {
  const began = performance.now();
  const targets = readers.map(({ bytes }) => bytes + (4 << 20));
  await until('all have read', () => readers.every(({ bytes }, at) => bytes >= (targets[at] ?? 0)), 20_000);
  return performance.now() - began;
}

describe('streams through the tunnel', () => {
  it('UP-03 10 MB both ways come back as they are, and end in good order', async () => {
    await agent.serve(1, echo);
    const client = await open();
    const bytes = randomBytes(10 << 20);
    send(client.socket, bytes);
    client.socket.end();
    await until('all is back', () => client.ended, 20_000);
    expect(hashOf(client.received)).toBe(hashOf(bytes));
  });

  it('UP-07 one of twenty that does not read leaves the others their pace', async () => {
    const lanes: { sent: number }[] = [];
    // A pod that sends what the tunnel takes, without end.
    await agent.serve(20, (lane, { head }) => {
      if (!head) return;
      accept(lane);
      const piece = reply({ data: randomBytes(65_536) });
      const counted = { sent: 0 };
      lanes.push(counted);
      const pump = (): void => {
        let more = !lane.stream.destroyed;
        while (more) {
          more = lane.stream.write(piece);
          counted.sent += 65_536;
        }
      };
      lane.stream.on('drain', pump);
      pump();
    });
    const readers = await Promise.all(Array.from({ length: 19 }, reader));
    const alone = await timed(readers);
    const { socket } = await open();
    socket.pause();
    const [last = { sent: 0 }] = lanes.slice(-1);
    await settled(() => last.sent);
    expect(last.sent).toBeLessThan(64 << 20);
    // Side by side with one that stands still; one that held up the others would do so for ever. Wide, for a busy machine.
    expect(Math.min(await timed(readers), await timed(readers))).toBeLessThan(alone * 4);
  });

  it('UP-01 a refused one sends nothing more and leaves its lane to the next request', async () => {
    const lane = await agent.lane();
    lane.onRequest = ({ head }) => {
      if (head) lane.send({ head: { status: 403, headers: [] }, data: Buffer.from('no'), end: true });
    };
    const answer = await sendRaw(proxy.port, `${head()}GET /api/v1/secrets HTTP/1.1\r\n\r\n`);
    expect(answer.status).toBe(403);
    await until('its end is told', () => lane.requests.at(-1)?.end === true);
    expect(lane.requests.map(({ data }) => data.length)).toEqual([0, 0]);
    expect((await sendRaw(proxy.port, head())).status).toBe(403);
    expect(lane.requests.filter(({ head: one }) => one !== undefined)).toHaveLength(2);
  });

  it('UP-04 an agent that is gone destroys the connection of its client', async () => {
    await agent.serve(1, echo);
    const client = await open();
    agent.close();
    await until('the client is cut off', () => client.closed, 2_000);
    expect(client.ended).toBe(false);
  });
});
