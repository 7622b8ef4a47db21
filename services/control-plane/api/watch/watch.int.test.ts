import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';
import {
  SystemService,
  WatchEvent,
  WatchTopic,
  type WatchResponse,
} from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { somebody, startAdminApi, type AdminApi, type Somebody } from '../../../../infra/e2e/parts/admin-api.ts';
import { Things } from '../../../../infra/e2e/parts/api-things.ts';

let api: AdminApi;
let things: Things;
beforeAll(async () => {
  api = await startAdminApi();
  things = new Things(api);
});
afterAll(() => api.stop());

/** An open stream, read as far as somebody asks. */
type Opened = AsyncIterator<WatchResponse> & { close(): void };

/** Opens the stream through the gateway; resolves when it has begun. */
async function open(who: Somebody, request: { afterPosition?: string } = {}, claims = {}): Promise<Opened> {
  const opened = await begin(who, request, claims);
  expect(opened.first.event).toBe(WatchEvent.STARTED);
  return opened;
}

async function begin(who: Somebody, request: { afterPosition?: string } = {}, claims = {}) {
  const token = await api.token(who, claims);
  const transport = createConnectTransport({
    baseUrl: `http://127.0.0.1:${api.port}`,
    httpVersion: '1.1',
    interceptors: [
      (next) => (call) => {
        call.header.set('authorization', `Bearer ${token}`);
        return next(call);
      },
    ],
  });
  const closing = new AbortController();
  const stream = createClient(SystemService, transport)
    .watch(request, { signal: closing.signal })
    [Symbol.asyncIterator]();
  const { value: first } = (await within(3_000, stream.next())) as { value: WatchResponse };
  return Object.assign(stream, { first, close: () => closing.abort() });
}

/** The message with the topic, and the topics of all that came up to it. */
async function hears(
  stream: Opened,
  topic: WatchTopic,
): Promise<WatchResponse & { readonly all: readonly WatchTopic[] }> {
  const all: WatchTopic[] = [];
  for (;;) {
    const { value } = (await within(3_000, stream.next())) as { value: WatchResponse };
    all.push(...value.topics);
    if (value.topics.includes(topic)) return { ...value, all };
  }
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(ms);
  const { promise: gaveUp, reject } = Promise.withResolvers<never>();
  late.addEventListener('abort', () => reject(new Error(`nothing came within ${ms} ms`)));
  return Promise.race([promise, gaveUp]);
}

async function endOf(stream: AsyncIterator<WatchResponse>): Promise<{ code: Code; reason: string | undefined }> {
  try {
    for (;;) await within(5_000, stream.next());
  } catch (thrown) {
    if (!(thrown instanceof ConnectError)) throw thrown;
    return { code: thrown.code, reason: thrown.findDetails(ErrorInfoSchema)[0]?.code };
  }
}

describe('watching through the gateway', () => {
  it('is told of a change as it happens, with a position from which an answer has it', async () => {
    const stream = await open(somebody());
    const name = things.name();
    const began = performance.now();
    await things.made('POST /api/v1/roles', { name, k8sGroups: ['g'] });
    const { position, event } = await hears(stream, WatchTopic.ROLES);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(event).toBe(WatchEvent.CHANGED);
    const answer = await api.ask({
      method: 'GET',
      path: `/api/v1/roles?name=${name}`,
      headers: { authorization: `Bearer ${await api.token(somebody())}`, 'x-clustral-position': position },
    });
    expect(answer.json['roles']).toHaveLength(1);
    stream.close();
  });

  it('of somebody else’s request only whoever may see it is told', async () => {
    const [owner, stranger, auditor] = [somebody(), somebody(), somebody('clustral-auditor')];
    const reviewer = { ...somebody(), groups: ['night-shift'] };
    const review = { reviewerGroups: ['night-shift'] };
    const { id: roleId } = await things.made('POST /api/v1/roles', { name: things.name(), k8sGroups: ['g'], review });
    for (const who of [owner, stranger, auditor, reviewer]) await things.idOf(who);
    const streams = await Promise.all([owner, stranger, auditor, reviewer].map((who) => open(who)));
    const [ofOwner, ofStranger, ofAuditor, ofReviewer] = streams as [Opened, Opened, Opened, Opened];
    const body = { clusterId: await things.aCluster(), roleId };
    await things.by(owner, 'POST /api/v1/access-requests', body);
    expect((await hears(ofOwner, WatchTopic.REQUESTS)).all).not.toContain(WatchTopic.AUDIT);
    await hears(ofReviewer, WatchTopic.REQUESTS);
    await hears(ofAuditor, WatchTopic.REQUESTS);
    // Whatever the stranger heard until something for everybody came after it was for everybody.
    await things.made('POST /api/v1/roles', { name: things.name(), k8sGroups: ['g'] });
    const forAll = new Set<WatchTopic>([WatchTopic.ROLES, WatchTopic.CLUSTERS]);
    expect((await hears(ofStranger, WatchTopic.ROLES)).all.filter((topic) => !forAll.has(topic))).toEqual([]);
    for (const stream of streams) stream.close();
  });

  it('goes on where it was cut off', async () => {
    const who = somebody();
    const stream = await open(who);
    await things.made('POST /api/v1/roles', { name: things.name(), k8sGroups: ['g'] });
    const { position: afterPosition } = await hears(stream, WatchTopic.ROLES);
    stream.close();
    await things.cluster();
    const again = await open(who, { afterPosition });
    expect((await hears(again, WatchTopic.CLUSTERS)).all).not.toContain(WatchTopic.ROLES);
    again.close();
    const { first, ...unknown } = await begin(who, { afterPosition: '0' });
    expect(first.event).toBe(WatchEvent.RESET);
    unknown.close();
  });

  it('ends when the person is disabled', async () => {
    const who = somebody();
    const id = await things.idOf(who);
    const stream = await open(who);
    const began = performance.now();
    await things.made(`POST /api/v1/users/${id}/disable`, {});
    expect(await endOf(stream)).toEqual({ code: Code.PermissionDenied, reason: 'FORBIDDEN' });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('ends with the token that it was opened with', async () => {
    const exp = Math.floor(Date.now() / 1000) + 2;
    const stream = await open(somebody(), {}, { exp });
    expect(await endOf(stream)).toEqual({ code: Code.Unauthenticated, reason: 'INVALID_TOKEN' });
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  });

  it('is limited for each person, and whoever goes makes room', async () => {
    const who = somebody();
    await things.idOf(who);
    const streams = await Promise.all(Array.from({ length: 8 }, () => open(who)));
    const refused = await begin(who).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: Code.ResourceExhausted });
    streams[0]?.close();
    const deadline = performance.now() + 3_000;
    let next = await begin(who).catch(() => undefined);
    while (!next && performance.now() < deadline) next = await begin(who).catch(() => undefined);
    expect(next?.first.event).toBe(WatchEvent.STARTED);
    for (const stream of [...streams, next]) stream?.close();
  });
});
