/** Access for a while, from the side of an open client: it gains it at its next call and loses it in the middle of a stream. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import type { ClusterId, RoleId } from '@clustral/schemas/ids.ts';
import type { Call, Implementation } from '@clustral/kernel/api.ts';
import { createCommands } from '../commands.ts';
import { openRaw, sendRaw, type OpenRaw } from '../proxy/testing/raw-client.ts';
import { directAgents, startRecorder, type Recorder } from '../proxy/testing/recorder.ts';
import { startProxy, startWorld, until, type Listening, type Person, type World } from '../proxy/testing/world.ts';
import { accessService } from './access-requests.ts';

const stopped = new AbortController();
let world: World;
let recorder: Recorder;
let proxy: Listening;
let service: Implementation;
let closeModels: () => void;
let cluster: ClusterId;
let role: RoleId;
let alice: Person;

beforeAll(async () => {
  world = await startWorld();
  recorder = await startRecorder();
  recorder.answerWith((request, response) => {
    if (request.url?.includes('watch') === true) response.writeHead(200).write('{"type":"ADDED"}\n');
    else response.end('{}');
  });
  const models = await openReadModels({ folder: join(world.folder, 'read-models') });
  closeModels = () => models.close();
  const now = () => new Date();
  const { policy, epoch, store: eventStore } = world;
  const { signal } = stopped;
  const commands = createCommands({ eventStore, policy, epoch, now, randomId: randomUUID, signal });
  const accessLimits = { defaultSeconds: 3_600, maxSeconds: 3_600, decidableSeconds: 3_600 };
  service = accessService({ commands, policy, models, now, accessLimits });
  cluster = await world.cluster('c1');
  role = await world.role('viewer', ['viewers']);
  proxy = await startProxy(world, directAgents(new Map([[cluster, recorder.port]])));
});
afterAll(async () => {
  await proxy.stop();
  stopped.abort();
  closeModels();
  await recorder.stop();
  await world.stop();
});
beforeEach(async () => {
  recorder.seen.length = 0;
  alice = await world.person({ name: `alice-${randomUUID()}@corp.test`, clusterId: cluster });
});

const admin = { sub: 'admin', issuer: 'https://idp.test', roles: ['clustral-admin'] };

/** What an administrator does to the request, by the service itself. */
async function decide(method: string, request: object): Promise<void> {
  const claims = { kind: 'internal', iat: 0, exp: 0, ...admin } as const;
  const { signal } = new AbortController();
  const call: Call = { claims, correlationId: 'test', signal, reached: () => undefined, lags: () => undefined };
  const empty = { duration: '', reason: '', roleRevision: 0n };
  await service.handlers[method]?.({ ...empty, ...request } as never, call);
}

/** Alice asks; the id of her request. */
async function asked(): Promise<string> {
  const id = randomUUID();
  await world.append(accessStream(alice.userId, cluster), {
    type: 'access_request.created',
    data: {
      userId: alice.userId,
      clusterId: cluster,
      accessRequestId: id,
      roleId: role,
      roleRevision: 0,
      reason: 'r',
      durationSeconds: 60,
      startsAt: null,
      extends: null,
      suggestedReviewerEmails: [],
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    },
  });
  return id;
}

const head = (path: string, more = ''): string =>
  `GET /api/proxy/${cluster}${path} HTTP/1.1\r\nHost: x\r\nX-Internal-Token: ${alice.token}\r\n${more}\r\n`;
const ask = async (): Promise<number> =>
  (await sendRaw(proxy.port, head('/api/v1/pods', 'Connection: close\r\n'))).status;

async function openWatch(): Promise<OpenRaw> {
  const open = openRaw(proxy.port, head('/api/v1/namespaces/n/pods?watch=1'));
  await until('the first event arrives', () => open.received.includes('ADDED'));
  return open;
}

describe('an open client', () => {
  it('has access at its next call after the approval, and none at the next after its end', async () => {
    const id = await asked();
    expect(await ask()).toBe(403);
    await decide('approveAccessRequest', { id });
    expect(await ask()).toBe(200);
    await decide('revokeAccessRequest', { id });
    expect(await ask()).toBe(403);
    expect(recorder.seen).toHaveLength(1);
  });

  it('D15 loses its stream within a second of the end of the grant, and the API server sees it', async () => {
    const id = await asked();
    await decide('approveAccessRequest', { id });
    const open = await openWatch();
    await decide('revokeAccessRequest', { id });
    await until('the stream is closed', () => open.closed, 1_000);
    expect(open.received).not.toMatch(/\r\n0\r\n\r\n$/);
    await until('the API server sees it', () => recorder.seen[0]?.closed === true, 1_000);
  });

  it('D15 loses its stream within a second of an end that was known in advance', async () => {
    const id = await asked();
    await decide('approveAccessRequest', { id, duration: '1s' });
    const endsAt = Date.now() + 1_000;
    const open = await openWatch();
    await until('the stream is closed', () => open.closed);
    expect(Date.now()).toBeGreaterThanOrEqual(endsAt - 250);
    expect(Date.now()).toBeLessThan(endsAt + 1_000);
  });

  it('keeps its stream when another request is denied or a new one is made', async () => {
    const id = await asked();
    await decide('approveAccessRequest', { id });
    const open = await openWatch();
    const other = await asked();
    await decide('denyAccessRequest', { id: other });
    expect(await ask()).toBe(200);
    expect(open.closed).toBe(false);
    open.socket.destroy();
  });
});
