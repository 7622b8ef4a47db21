import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelsVersion } from '@clustral/projections/all-models.ts';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { currentDatabase } from '@clustral/projections/sqlite/files.ts';
import {
  append,
  startLog,
  startProjector,
  type LogUnderTest,
  type RunningProjector,
} from '@clustral/projections/testing/rig.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { readLog, readModelViolations, streamsReadOtherwise } from './reading.ts';

let root: string;
let under: LogUnderTest;
let projector: RunningProjector;
let position: bigint;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'crash-reading-'));
  under = await startLog();
  projector = startProjector(under.store, join(root, 'read-models'), { now: () => new Date() });
  position = await append(
    under.store,
    goldenSamples().map(({ fact }) => fact),
  );
  const models = await openReadModels({ folder: join(root, 'read-models') });
  await models.waitFor(position, 20_000);
  models.close();
});

afterAll(async () => {
  await projector.stop();
  await under.stop();
  await rm(root, { recursive: true });
});

const installation = () => ({ root, dataFolder: root, connectionString: under.connectionString });

/** Changes stored documents behind everybody's back. */
function tamper(sql: string): void {
  const folder = join(root, 'read-models');
  const database = new DatabaseSync(currentDatabase({ folder, version: readModelsVersion }) ?? '', { timeout: 5_000 });
  database.exec(sql);
  database.close();
}

describe('what the checker reads', () => {
  it('G3 is the whole log, stream by stream the same, and what differs is seen', async () => {
    const log = await readLog(installation());
    expect(log.at(-1)?.position).toBe(position);
    const streams = [...new Set(log.map(({ stream }) => stream))];
    expect(await streamsReadOtherwise(installation(), log, streams)).toEqual([]);
    const withoutLast = log.slice(0, -1);
    expect(await streamsReadOtherwise(installation(), withoutLast, streams)).toEqual([]);
    const [first, ...others] = log;
    expect(await streamsReadOtherwise(installation(), others, [first?.stream ?? ''])).toEqual([
      { promise: 'G3', what: `${first?.stream} reads otherwise by itself than in the whole log` },
    ]);
  });

  it('G4 read models that drifted from the fold of the log are seen, field by field', async () => {
    expect(await readModelViolations(installation(), position)).toEqual([]);
    tamper(`UPDATE clusters_documents SET doc = json_set(doc, '$.name', 'mine') WHERE row = 1;
      DELETE FROM audit WHERE rowid = 5`);
    const found = await readModelViolations(installation(), position);
    expect(found.map(({ promise }) => promise)).toEqual(['G4', 'G4']);
    expect(found.map(({ what }) => what).toSorted()).toEqual([
      expect.stringMatching(/^changed: clusters \S+ \(name\)$/),
      expect.stringMatching(/^missing: audit \S+/),
    ]);
  });
});
