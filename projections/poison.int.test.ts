import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Stores } from '@clustral/infra/embedded/event-store/testing/processes.ts';
import { RawClient } from '@clustral/infra/embedded/event-store/tools/raw-client.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { allModels } from './all-models.ts';
import { openFold, PoisonFact } from './fold.ts';
import { start } from './main.ts';
import { roleCreated } from './testing/people.ts';
import { append, startLog, storeAfter, type LogUnderTest } from './testing/rig.ts';
import { Story } from './testing/story.ts';

const metadata = '{"schemaVersion":1,"actor":{"kind":"user","id":"u"},"epoch":1,"$correlationId":"c"}';
const role = '{"roleId":"a","name":"a","description":"","k8sGroups":[]}';

/** Stores bytes as they are, as nobody of ours would. */
async function appendBytes(
  connectionString: string,
  stream: string,
  { data, metadata: own, json = true }: { readonly data: string; readonly metadata: string; readonly json?: boolean },
): Promise<void> {
  const raw = new RawClient(connectionString);
  const bytes = { data: Buffer.from(data), metadata: Buffer.from(own) };
  await raw.append(stream, -1, [{ stream, revision: 0, id: randomBytes(16), type: 'role.created', json, ...bytes }]);
  await raw.close();
}

/** The first fact of a stream as the client gives it to a subscriber. */
async function delivered(store: EventStore, stream: string): Promise<Recorded> {
  for await (const message of store.subscribe({ prefixes: [stream], signal: AbortSignal.timeout(10_000) })) {
    if (message.kind === 'fact') return message.fact;
  }
  throw new Error(`nothing of ${stream} was delivered`);
}

async function poisonOf(fact: Recorded): Promise<unknown> {
  const opened = await storeAfter([]);
  const fold = await openFold(opened.store, allModels);
  const thrown: unknown = await fold.take(fact).catch((error: unknown) => error);
  await opened.close();
  return thrown;
}

describe('ES-04 a fact whose bytes are damaged', () => {
  let log: LogUnderTest;
  beforeAll(async () => {
    log = await startLog();
  });
  afterAll(() => log.stop());

  it.each([
    ['JSON that is cut', '{"roleId":', metadata],
    ['no data', '', metadata],
    ['data that is a text', '"role"', metadata],
    ['data that is nothing', 'null', metadata],
    ['bytes that are no UTF-8 text of JSON', '\u0000\u0001', metadata],
    ['metadata that is cut', role, '{"schemaVersion":'],
    ['no metadata', role, ''],
    ['metadata that is nothing', role, 'null'],
  ])('with %s is delivered, and stops whoever applies it', async (what, data, own) => {
    const stream = `role-${what.replaceAll(' ', '_')}`;
    await appendBytes(log.connectionString, stream, { data, metadata: own });
    expect(await poisonOf(await delivered(log.store, stream))).toBeInstanceOf(PoisonFact);
  });

  it('that is not marked as JSON stops whoever applies it', async () => {
    await appendBytes(log.connectionString, 'role-binary', { data: role, metadata, json: false });
    expect(await poisonOf(await delivered(log.store, 'role-binary'))).toBeInstanceOf(PoisonFact);
  });

  it('and of 4 MB is delivered too, and stops whoever applies it', async () => {
    const stores = new Stores();
    const { address } = await stores.start({ data: stores.newFolder(), args: ['--max-append-bytes', '8388608'] });
    const connectionString = `esdb://${address}?tls=false`;
    const store = connectEventStore({ connectionString });
    try {
      await appendBytes(connectionString, 'role-large', { data: `{"roleId":"${'x'.repeat(4 << 20)}`, metadata });
      expect(await poisonOf(await delivered(store, 'role-large'))).toBeInstanceOf(PoisonFact);
    } finally {
      await store.close();
      await stores.end();
      stores.remove();
    }
  });
});

describe('ES-04 the projections', () => {
  it('stop before a damaged fact, raise an alarm, and show it in health and metrics', async () => {
    const under = await startLog();
    const data = await mkdtemp(join(tmpdir(), 'poison-'));
    const log = createLog('test', 'silent');
    const fatal = vi.spyOn(log, 'fatal');
    await append(under.store, new Story().tell('role-a', roleCreated('a')).facts);
    const environment = {
      EVENTSTORE_CONNECTION_STRING: under.connectionString,
      CLUSTRAL_DATA: data,
      METRICS_PORT: '0',
    };
    const running = await start(environment, log);
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${running.port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    try {
      await expect.poll(async () => (await get('/healthz/ready')).status, { timeout: 15_000 }).toBe(200);
      await expect
        .poll(async () => (await get('/healthz/detail')).text, { timeout: 10_000 })
        .toContain('"lagSeconds":0');
      expect((await get('/metrics')).text).toContain('clustral_projections_halted 0\n');
      await appendBytes(under.connectionString, 'role-b', { data: '{"roleId":', metadata });
      await expect.poll(async () => (await get('/healthz/ready')).status, { timeout: 15_000 }).toBe(503);
      expect((await get('/healthz/ready')).text).toMatch(/^stopped: .*role-b/);
      await expect.poll(async () => (await get('/metrics')).text, { timeout: 15_000 }).toMatch(/lag_events [1-9]/);
      expect((await get('/metrics')).text).toContain('clustral_projections_halted 1\n');
      expect(fatal).toHaveBeenCalledOnce();
      expect(fatal.mock.calls[0]?.[0]).toMatchObject({ alarm: 'poison_fact', stream: 'role-b' });
    } finally {
      await running.stop();
      await under.stop();
      await rm(data, { recursive: true });
    }
  });
});
