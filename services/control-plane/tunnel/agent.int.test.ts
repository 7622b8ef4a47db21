import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { start, type RunningAgent } from '@clustral/agent/main.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { callOf, carry, Carried } from './testing/carrying.ts';
import { startApiServer, type ApiServer } from './testing/api-server.ts';
import { startTunnelWorld, until, type TunnelWorld } from './testing/tunnel-world.ts';

let world: TunnelWorld;
let api: ApiServer;
let clusterId: ClusterId;
let agent: RunningAgent;

function environmentOf(cluster: { clusterId: string; token: string }, server: ApiServer, folder?: string) {
  return {
    CLUSTRAL_ENV: 'embedded',
    AGENT_CLUSTER_ID: cluster.clusterId,
    AGENT_CONTROL_PLANE_URL: world.url.origin,
    AGENT_BOOTSTRAP_TOKEN: cluster.token,
    AGENT_CREDENTIAL_PATH: folder ?? mkdtempSync(join(world.folder, 'agent-')),
    AGENT_KUBERNETES_API_URL: server.url,
    AGENT_KUBERNETES_CA_PATH: server.caPath,
    AGENT_KUBERNETES_TOKEN_PATH: server.tokenPath,
  };
}
const log = createLog('agent', process.env['TEST_LOG_LEVEL'] ?? 'silent');

beforeAll(async () => {
  [world, api] = await Promise.all([startTunnelWorld(), startApiServer()]);
  const cluster = await world.register();
  clusterId = cluster.clusterId;
  agent = await start(environmentOf(cluster, api), log);
  await until('the agent is connected', () => world.agents.presence(clusterId) !== undefined, 10_000);
  await until('it serves', async () => (await get()).result === 200, 10_000);
});
afterAll(async () => {
  await agent?.stop();
  await world?.stop();
  await api?.stop();
});
afterEach(() => api.answerWith((_request, response) => void response.end('{}')));

const get = (said = {}) => carry(world.agents, callOf(clusterId, said));
const post = (said = {}) => new Carried(world.agents, callOf(clusterId, { method: 'POST', bodyless: false, ...said }));

describe('a request through the whole tunnel', () => {
  it('reaches the API server as the person, by the agent’s own token, and no other way', async () => {
    const call = callOf(clusterId, {
      target: '/api/v1/namespaces/x/pods/a%2Fb;c?watch=0&x=%26',
      impersonateUser: 'josé 山',
      impersonateGroups: ['a', 'CN=ops team,OU=x', 'system:masters'],
      headers: Object.entries({
        accept: ['application/json'],
        'x-two': ['1', '2'],
        'impersonate-group': ['evil'],
        Impersonate_User: ['evil'],
        'impersonate-extra-a': ['evil'],
        authorization: ['Bearer evil'],
        cookie: ['evil'],
        'x-clustral-user': ['evil'],
        'x-remote-user': ['evil'],
        'x-internal-token': ['evil'],
        connection: ['x-listed'],
        'x-listed': ['evil'],
        te: ['trailers'],
        host: ['evil'],
        'audit-id': ['evil'],
      }).flatMap(([name, values]) => values.flatMap((value) => [name, value])),
    });
    expect((await carry(world.agents, call)).result).toBe(200);
    const seen = api.seen.at(-1);
    expect(seen).toMatchObject({ method: 'GET', target: call.target });
    const utf8 = (text: string) => Buffer.from(text).toString('latin1');
    expect(api.values(seen, 'impersonate-user')).toEqual([utf8('josé 山')]);
    expect(api.values(seen, 'impersonate-group')).toEqual(['a', 'CN=ops team,OU=x', 'system:masters']);
    expect(api.values(seen, 'authorization')).toEqual([`Bearer ${api.token}`]);
    expect(api.values(seen, 'audit-id')).toEqual([call.requestId]);
    expect(api.values(seen, 'x-two')).toEqual(['1', '2']);
    expect(api.values(seen, ':authority')).toEqual([new URL(api.url).host]);
    expect(seen?.rawHeaders.join(' ')).not.toContain('evil');
  });

  it('brings the answer back with every line of its head', async () => {
    api.answerWith((_request, response) => {
      response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'x-latin': 'Ã©' });
      response.end('created');
    });
    const { status, headers, body } = await get();
    expect({ status, body }).toEqual({ status: 201, body: 'created' });
    expect(headers.filter((_, i) => headers[i - 1] === 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(headers[headers.indexOf('x-latin') + 1]).toBe('Ã©');
  });

  it('carries a body of 10 MB there and one of 20 MB back', async () => {
    api.answerWith((request, response, seen) => {
      request.on('end', () => {
        const length = Buffer.concat(seen.chunks).length;
        response.end(Buffer.alloc(length * 2, 'b'));
      });
    });
    const carried = post();
    const piece = Buffer.alloc(65_536, 'a');
    for (let sent = 0; sent < 160; sent += 1) {
      if (!carried.exchange.write(piece)) await until('it drains', () => carried.drains > 0 || carried.isDone);
    }
    carried.exchange.end();
    await carried.over;
    expect(carried).toMatchObject({ status: 200, bytes: 20 * 1024 * 1024, isDone: true });
    const received = Buffer.concat(api.seen.at(-1)?.chunks ?? []);
    expect(received.equals(Buffer.alloc(10 * 1024 * 1024, 'a'))).toBe(true);
  });

  it('shows each event of a watch as it happens', async () => {
    const events: { end(): void; write(text: string): void }[] = [];
    api.answerWith((_request, response) => {
      response.writeHead(200);
      events.push({ write: (text) => void response.write(text), end: () => void response.end() });
    });
    const watch = new Carried(world.agents, callOf(clusterId, { target: '/api/v1/pods?watch=1' }));
    await watch.begun;
    expect(watch).toMatchObject({ status: 200, bytes: 0 });
    for (let i = 1; i <= 5; i += 1) {
      events[0]?.write('event');
      await until(`event ${i} is there`, () => watch.bytes === i * 5, 500);
    }
    events[0]?.end();
    expect((await watch.over).isDone).toBe(true);
  });

  it('passes a redirect on as it is and follows it nowhere', async () => {
    const before = api.seen.length;
    api.answerWith((_request, response) => {
      response.writeHead(307, { location: 'https://evil.example/' });
      response.end();
    });
    const { status, headers } = await get();
    expect({ status, location: headers[headers.indexOf('location') + 1] }).toEqual({
      status: 307,
      location: 'https://evil.example/',
    });
    expect(api.seen.length - before).toBe(1);
  });

  it('is cancelled all the way, a watch and an upload; half a body never looks whole', async () => {
    api.answerWith((request, response) => {
      if (request.method === 'GET') response.writeHead(200).write('one');
    });
    const watch = await new Carried(world.agents, callOf(clusterId, { target: '/api/v1/pods?watch=1' })).begun;
    const seenWatch = api.seen.at(-1);
    const upload = post();
    upload.exchange.write(Buffer.from('half'));
    await until('the upload is there', () => api.seen.at(-1)?.method === 'POST');
    const seenUpload = api.seen.at(-1);
    await until('its body is there', () => (seenUpload?.chunks.length ?? 0) > 0);
    watch.exchange.cancel();
    upload.exchange.cancel();
    await until('both are cancelled', () => seenWatch?.cancelled === true && seenUpload?.cancelled === true, 2_000);
    expect(seenUpload?.ended).toBe(false);
  });

  it('is aborted when the answer breaks off, whatever had come', async () => {
    api.answerWith((_request, response) => {
      response.writeHead(200);
      response.write('half');
      setTimeout(() => api.breakConnections(), 20);
    });
    const carried = await get();
    expect(carried).toMatchObject({ status: 200, body: 'half', isDone: false, refusal: { code: 'AGENT_ERROR' } });
    api.answerWith((_request, response) => void response.end('{}'));
    await until('it serves again', async () => (await get()).result === 200);
  });

  it('is answered by the agent when the head does not come in time, and the API server sees it given up', async () => {
    api.answerWith(() => undefined);
    const began = performance.now();
    const carried = await get({ headTimeoutMs: 1_000 });
    expect(carried.result).toBe('TUNNEL_TIMEOUT');
    expect(performance.now() - began).toBeLessThan(2_000);
    await until('it is given up', () => api.seen.at(-1)?.cancelled === true, 1_000);
  });

  it('ends with the access it rests on, by the agent’s own clock', async () => {
    api.answerWith((_request, response) => void response.writeHead(200).write('one'));
    const began = performance.now();
    const carried = await get({ target: '/api/v1/pods?watch=true', lifetimeMs: 1_000 });
    expect(carried).toMatchObject({ status: 200, isDone: false, refusal: { code: 'TUNNEL_ERROR' } });
    expect(performance.now() - began).toBeLessThan(2_000);
    await until('it is given up', () => api.seen.at(-1)?.cancelled === true, 1_000);
  });
});

describe('many requests', () => {
  it('at once each get their own answer', async () => {
    api.answerWith((request, response) => void response.end(request.headers['audit-id'] as string));
    const answers = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const call = callOf(clusterId);
        return (await carry(world.agents, call)).body === call.requestId;
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
  });

  it('cancelled two thousand times cost no lane', async () => {
    api.answerWith((request, response) => {
      if (request.url.includes('watch')) response.writeHead(200).write('one');
      else response.end('{}');
    });
    const target = '/api/v1/events?watch=1';
    for (let round = 0; round < 100; round += 1) {
      const watches = Array.from({ length: 20 }, () => new Carried(world.agents, callOf(clusterId, { target })));
      await Promise.all(watches.map(({ begun }) => begun));
      expect(watches.every(({ status }) => status === 200)).toBe(true);
      for (const { exchange } of watches) exchange.cancel();
    }
    await until('all are given up', () =>
      api.seen.filter(({ target: one }) => one === target).every((one) => one.cancelled),
    );
    const results = await Promise.all(Array.from({ length: 100 }, () => get()));
    expect(results.every(({ result }) => result === 200)).toBe(true);
  });

  it('are not held up by readers that stopped reading', async () => {
    const total = 32 * 1024 * 1024;
    api.answerWith((request, response) => {
      if (request.url.includes('bulk')) response.end(Buffer.alloc(total, 'x'));
      else response.end('{}');
    });
    // Two: more of them hold more than this world lets anybody hold back (D41).
    const stopped = Array.from({ length: 2 }, () => {
      const carried = new Carried(world.agents, callOf(clusterId, { target: '/bulk' }));
      carried.wantsMore = false;
      return carried;
    });
    await Promise.all(stopped.map(({ begun }) => begun));
    const began = performance.now();
    for (let i = 0; i < 100; i += 1) expect(await get()).toMatchObject({ status: 200, refusal: undefined });
    expect(performance.now() - began).toBeLessThan(3_000);
    for (const carried of stopped) {
      carried.wantsMore = true;
      carried.exchange.resume();
    }
    await Promise.all(stopped.map(({ over }) => over));
    expect(stopped.map(({ bytes, result, refusal }) => [result, bytes, refusal?.message])).toEqual(
      stopped.map(() => [200, total, undefined]),
    );
  });
});
