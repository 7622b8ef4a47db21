import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { ProxyFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, RequestId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Policy } from '../ports.ts';
import { createAuditTrail, type AuditTrail, type AuditTrailOptions } from './audit-trail.ts';
import { parseKubernetesRequest } from './kubernetes-request.ts';
import type { RequestRecord } from './proxy-records.ts';
import { directAgents, startRecorder } from './testing/recorder.ts';
import { sendRaw } from './testing/raw-client.ts';
import { startProxy, startWorld, until, type World } from './testing/world.ts';

let world: World;
let clusterId: ClusterId;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  clusterId = await world.cluster(`c-${randomUUID().slice(0, 8)}`);
});

const completed = {
  status: 200,
  bytesSent: 1,
  bytesReceived: 0,
  durationMs: 1,
  end: 'completed',
  errorCode: null,
} as const;

function record(strict = false): RequestRecord {
  return {
    requestId: randomUUID() as RequestId,
    clusterId,
    basis: {
      userId: randomUUID() as UserId,
      userRevision: 0,
      roleId: randomUUID() as RoleId,
      roleRevision: 0,
      accessRequestId: null,
      credentialId: randomUUID() as CredentialId,
    },
    request: parseKubernetesRequest('GET', '/api/v1/pods'),
    strict,
    startedAt: new Date(),
    origin: { correlationId: 'c', sourceAddress: '192.0.2.1', userAgent: 'k'.repeat(1_000) },
  };
}

function trailOn(store: EventStore, limits: AuditTrailOptions['limits'] = {}): AuditTrail {
  return createAuditTrail({ store, log: world.log, epoch: () => world.epoch, now: () => new Date(), limits });
}

/** The world's log, with its appends in the test's hands. */
function storeWith(append: EventStore['append']): EventStore {
  const { store } = world;
  return {
    load: (stream, from) => store.load(stream, from),
    append,
    subscribe: (options) => store.subscribe(options),
    readBackwards: (options) => store.readBackwards(options),
    ping: (deadlineMs) => store.ping(deadlineMs),
    close: async () => undefined,
  };
}

const phases = async (): Promise<string[]> =>
  (await world.records(clusterId)).map(({ type, data }) => ('phase' in data ? data.phase : type));

describe('the trail of proxied requests', () => {
  it('D30 has a start and an end of each strict request, in this order, with who and why', async () => {
    const trail = trailOn(world.store);
    const strict = record(true);
    await trail.started(strict);
    expect(await phases()).toEqual(['started']);
    trail.ended(strict, completed);
    expect(await trail.stop(1_000)).toBe(true);
    const [start, end] = await world.records(clusterId);
    expect([start, end].map((fact) => fact?.data)).toMatchObject([
      { ...strict.basis, phase: 'started', strict: true },
      { ...strict.basis, phase: 'ended', outcome: completed },
    ]);
    expect(end?.metadata).toMatchObject({
      actor: { kind: 'user', id: strict.basis.userId },
      epoch: world.epoch,
      requestId: strict.requestId,
      sourceAddress: '192.0.2.1',
      userAgent: 'k'.repeat(256),
    });
  });

  it('D30 puts many starts of one moment into few appends', async () => {
    const sizes: number[] = [];
    const trail = trailOn(
      storeWith((stream, expected, facts) => {
        sizes.push(facts.length);
        return world.store.append(stream, expected, facts);
      }),
    );
    await Promise.all(Array.from({ length: 200 }, () => trail.started(record(true))));
    expect(sizes).toEqual([100, 100]);
    await trail.stop(1_000);
  });

  it('D30 flushes reads in batches, within 50 ms', async () => {
    const sizes: number[] = [];
    let appendedAt = 0;
    const trail = trailOn(
      storeWith((stream, expected, facts) => {
        sizes.push(facts.length);
        appendedAt = performance.now();
        return world.store.append(stream, expected, facts);
      }),
    );
    const began = performance.now();
    for (let count = 0; count < 20; count += 1) trail.ended(record(), completed);
    await until('they are appended', () => sizes.length > 0);
    expect(sizes).toEqual([20]);
    expect(appendedAt - began).toBeLessThan(60);
    await trail.stop(1_000);
  });

  it('D29 goes on at the revision where an earlier process ended', async () => {
    for (let process = 0; process < 3; process += 1) {
      const trail = trailOn(world.store);
      await trail.started(record(true));
      await trail.started(record(true));
      await trail.stop(1_000);
    }
    expect((await world.records(clusterId)).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('D29 writes once what it had to send twice because the answer was lost', async () => {
    let lose = 3;
    const trail = trailOn(
      storeWith(async (stream, expected, facts) => {
        const appended = await world.store.append(stream, expected, facts);
        if ((lose -= 1) >= 0) throw new Refusal('STORE_UNAVAILABLE', 'The answer was lost.');
        return appended;
      }),
    );
    await trail.started(record(true));
    await trail.started(record(true));
    expect(await phases()).toEqual(['started', 'started']);
    expect(await trail.stop(1_000)).toBe(true);
  });

  it('ES-11 says no to a strict request when the log does not take its start, and has the pair once it does', async () => {
    let down = true;
    const trail = trailOn(
      storeWith(async (stream, expected, facts) => {
        if (down) throw new Refusal('STORE_UNAVAILABLE', 'The log is down.');
        return world.store.append(stream, expected, facts);
      }),
      { deadlineMs: 100 },
    );
    const strict = record(true);
    await expect(trail.started(strict)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    trail.ended(strict, { ...completed, status: 503, end: 'failed', errorCode: 'STORE_UNAVAILABLE' });
    expect(trail.mark().durableUntil.getTime()).toBeLessThan(Date.now() - 50);
    down = false;
    expect(await trail.stop(3_000)).toBe(true);
    expect(await phases()).toEqual(['started', 'ended']);
  });

  it('D30 makes requests wait for room and refuses them in the end', async () => {
    const gate = Promise.withResolvers<void>();
    const trail = trailOn(
      storeWith(async (stream, expected, facts) => {
        await gate.promise;
        return world.store.append(stream, expected, facts);
      }),
      { waiting: 3, deadlineMs: 100 },
    );
    for (let count = 0; count < 3; count += 1) trail.ended(record(), completed);
    expect(trail.isFull()).toBe(true);
    await expect(trail.room()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const waiting = trail.room();
    gate.resolve();
    await waiting;
    expect(await trail.stop(1_000)).toBe(true);
    expect(await phases()).toHaveLength(3);
  });

  it('knows where its open requests began', async () => {
    const trail = trailOn(world.store);
    const [one, two] = [record(true), record(true)];
    await trail.started(one);
    await trail.started(two);
    expect(Object.values(trail.mark().open)).toEqual([0]);
    trail.ended(one, completed);
    await until('the end is durable', () => Object.values(trail.mark().open)[0] === 1);
    trail.ended(two, completed);
    await until('the end is durable', () => Object.keys(trail.mark().open).length === 0);
    await trail.stop(1_000);
  });
});

describe('a proxied request and its record', () => {
  it('D12 G6 nothing of a strict request arrives before its start is in the log', async () => {
    const recorder = await startRecorder();
    const role = await world.role(`r-${randomUUID()}`, ['a']);
    const alice = await world.person({ name: `a-${randomUUID()}@corp.test`, clusterId, roleId: role });
    const proxy = await startProxy(world, directAgents(new Map([[clusterId, recorder.port]])));
    const seen: Promise<string[]>[] = [];
    recorder.answerWith((_request, response) => {
      const known = phases();
      seen.push(known);
      void known.then(() => response.end('{}'));
    });
    const ask = (method: string, path: string): Promise<{ readonly status: number }> =>
      sendRaw(
        proxy.port,
        `${method} /api/proxy/${clusterId}${path} HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\nConnection: close\r\n\r\n`,
      );
    expect((await ask('DELETE', '/api/v1/namespaces/n/pods/p')).status).toBe(200);
    expect(await seen[0]).toEqual(['started']);
    expect((await ask('GET', '/api/v1/namespaces/n/secrets/s')).status).toBe(200);
    await until('both are on record', async () => (await phases()).length === 4);
    expect((await phases()).toSorted()).toEqual(['ended', 'ended', 'started', 'started']);
    await proxy.stop();
    await recorder.stop();
  });

  it('ES-11 a strict request is 503 and arrives nowhere while the log takes nothing', async () => {
    const recorder = await startRecorder();
    const role = await world.role(`r-${randomUUID()}`, ['a']);
    const alice = await world.person({ name: `a-${randomUUID()}@corp.test`, clusterId, roleId: role });
    const down = storeWith(() => Promise.reject(new Refusal('STORE_UNAVAILABLE', 'The log is down.')));
    const proxy = await startProxy(world, directAgents(new Map([[clusterId, recorder.port]])), { store: down });
    const head = `POST /api/proxy/${clusterId}/api/v1/namespaces/n/pods HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\n`;
    const answer = await sendRaw(proxy.port, `${head}Connection: close\r\nContent-Length: 2\r\n\r\n{}`);
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([503, ['STORE_UNAVAILABLE']]);
    expect(recorder.seen).toEqual([]);
    await proxy.stop();
    await recorder.stop();
  });

  it('D16 is not sent when the control plane lost its lease while the start was written', async () => {
    const recorder = await startRecorder();
    const role = await world.role(`r-${randomUUID()}`, ['a']);
    const alice = await world.person({ name: `a-${randomUUID()}@corp.test`, clusterId, roleId: role });
    let fresh = true;
    const policy = Object.create(world.policy, {
      assertFresh: {
        value: () => {
          if (!fresh) throw new Refusal('STORE_UNAVAILABLE', 'The lease is lost.');
        },
      },
      onFact: { value: (listener: Parameters<Policy['onFact']>[0]) => world.policy.onFact(listener) },
    }) as Policy;
    for (const method of ['cluster', 'role', 'user', 'access', 'credential', 'userByKubernetesName'] as const)
      Object.defineProperty(policy, method, { value: world.policy[method].bind(world.policy) });
    const store = storeWith((stream, expected, facts) => {
      fresh = false;
      return world.store.append(stream, expected, facts);
    });
    const proxy = await startProxy(world, directAgents(new Map([[clusterId, recorder.port]])), { store, policy });
    const head = `DELETE /api/proxy/${clusterId}/api/v1/namespaces/n/pods/p HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\n`;
    const answer = await sendRaw(proxy.port, `${head}Connection: close\r\n\r\n`);
    expect([answer.status, answer.headers.get('x-clustral-error-code')]).toEqual([503, ['STORE_UNAVAILABLE']]);
    await proxy.stop();
    expect(recorder.seen).toEqual([]);
    expect(await phases()).toEqual(['started', 'ended']);
    await recorder.stop();
  });

  it('D30 a read that is open for 5 s has a start on record while it lasts', async () => {
    const recorder = await startRecorder();
    recorder.answerWith((_request, response) => response.writeHead(200).flushHeaders());
    const role = await world.role(`r-${randomUUID()}`, ['a']);
    const alice = await world.person({ name: `a-${randomUUID()}@corp.test`, clusterId, roleId: role });
    const proxy = await startProxy(world, directAgents(new Map([[clusterId, recorder.port]])));
    const head = `GET /api/proxy/${clusterId}/api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\n\r\n`;
    const watching = sendRaw(proxy.port, head);
    await until('its start is on record', async () => (await phases()).length === 1, 7_000);
    expect(await phases()).toEqual(['started']);
    await proxy.stop();
    await watching;
    expect(await phases()).toEqual(['started', 'ended']);
    const requests = (await world.records(clusterId)).map(({ data }) => (data as { requestId: string }).requestId);
    expect(new Set(requests).size).toBe(1);
    await recorder.stop();
  });
});

type Requested = Extract<ProxyFact, { type: 'proxy.request' }>;
const requestsOf = (facts: readonly ProxyFact[]): readonly Requested[] =>
  facts.filter((fact): fact is Requested => fact.type === 'proxy.request');

describe('the ids of records', () => {
  it('D28 differ between any two records, and only between those', async () => {
    const trail = trailOn(world.store);
    const strict = record(true);
    await trail.started(strict);
    trail.ended(strict, completed);
    trail.ended(record(), completed);
    await trail.stop(1_000);
    const facts = await world.records(clusterId);
    expect(requestsOf(facts)).toHaveLength(3);
    expect(new Set(facts.map(({ id }) => id)).size).toBe(3);
  });
});
