import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '@clustral/kernel/log.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { openReadModels, type ReadModels } from '../read-models.ts';
import { currentDatabase } from '../sqlite/files.ts';
import { readModelsVersion } from '../all-models.ts';
import { clusterCollection } from '../clusters.ts';
import { append, startLog, startProjector, type LogUnderTest, type RunningProjector } from '../testing/rig.ts';
import { replayCommand } from './command.ts';

const story = goldenSamples().map(({ fact }) => fact);
const log = createLog('test', 'silent');

describe('replaying the log', () => {
  let data: string;
  let under: LogUnderTest;
  let projector: RunningProjector;
  let models: ReadModels;
  let folder: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'replay-'));
    folder = join(data, 'read-models');
    under = await startLog();
    projector = startProjector(under.store, folder, { now: () => new Date() });
    models = await openReadModels({ folder });
    await models.waitFor(await append(under.store, story), 20_000);
  });
  afterEach(async () => {
    models.close();
    await projector.stop();
    await under.stop();
    await rm(data, { recursive: true });
  });

  const replay = async (...words: readonly string[]) => {
    const lines: string[] = [];
    const environment = {
      CLUSTRAL_DATA: data,
      EVENTSTORE_CONNECTION_STRING: under.connectionString,
      PROXY_RETENTION: '3650d',
    };
    const code = await replayCommand(words, environment, { log, print: (line) => lines.push(line) });
    return { code, text: lines.join('\n') };
  };
  /** Changes stored documents behind everybody's back. */
  const tamper = (sql: string): void => {
    const database = new DatabaseSync(currentDatabase({ folder, version: readModelsVersion }) ?? '', {
      timeout: 5_000,
    });
    database.exec(sql);
    database.close();
  };
  const someCluster = async () =>
    (
      await models.find(clusterCollection, { filter: {}, sort: { fields: ['_id'], direction: 'ascending' }, limit: 1 })
    )[0];

  it('G4 finds that read models are what the log makes of them', async () => {
    const { code, text } = await replay('verify');
    expect(text).toMatch(/^\d+ facts up to position \d+/);
    expect(text).toContain('0 differences');
    expect(code).toBe(0);
  });

  it('ES-13 names what was changed, added and taken away', async () => {
    tamper(`UPDATE audit_documents SET doc = json_set(doc, '$.message', 'nothing happened') WHERE row = 3;
      DELETE FROM audit WHERE rowid = 5;
      UPDATE clusters_documents SET doc = json_set(doc, '$.name', 'mine') WHERE row = 1`);
    const { code, text } = await replay('verify');
    expect(code).toBe(1);
    expect(text).toMatch(/changed: audit \S+ \(message\)/);
    expect(text).toMatch(/missing: audit \S+/);
    expect(text).toMatch(/changed: clusters \S+ \(name\)/);
    expect(text).toContain('3 differences');
    expect((await replay('verify', 'users')).code).toBe(0);
  });

  it('ES-06 builds anew while facts keep coming, says what was different, and readers go over to it', async () => {
    tamper(`UPDATE clusters_documents SET doc = json_set(doc, '$.name', 'mine')`);
    expect((await someCluster())?.name).toBe('mine');
    let position = 0n;
    let appended = 0;
    const traffic = new AbortController();
    const busy = (async () => {
      for (; !traffic.signal.aborted; appended += 1) {
        const [first] = story;
        const fact = { ...first, id: crypto.randomUUID(), type: 'agent.auth_failed', data: authFailed };
        if (first !== undefined) {
          const expected = appended === 0 ? 'none' : appended - 1;
          const stored = await under.store.append('agent_auth-replay', expected, [
            { ...fact, metadata: first.metadata },
          ]);
          position = stored.position;
        }
      }
    })();
    await expect.poll(() => appended).toBeGreaterThan(5);
    const before = appended;
    const { code, text } = await replay('rebuild', '--all');
    traffic.abort();
    await busy;
    expect(appended).toBeGreaterThan(before);
    expect(text).toMatch(/clusters +\d+ documents, 2 different/);
    expect(code).toBe(0);
    await models.waitFor(position, 20_000);
    expect((await someCluster())?.name).not.toBe('mine');
    const after = await replay('verify');
    expect(after.text).toContain('0 differences');
  });
});

const authFailed = { clusterId: null, reason: 'certificate_missing', method: 'Control', count: 1 };
