import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { readModelsVersion } from './all-models.ts';
import { auditEvents } from './audit/query.ts';
import { listRoles } from './roles.ts';
import { currentDatabase } from './sqlite/files.ts';
import { roleCreated } from './testing/people.ts';
import { append, appendSideBySide, dump, startLog } from './testing/rig.ts';
import { openStage, type Stage } from './testing/stage.ts';
import { manyRoles, Story } from './testing/story.ts';

const inTime = { timeout: 20_000 } as const;
const story = goldenSamples().map(({ fact }) => fact);

describe('the projector', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.dispose());

  it('F-07 stores all of a commit or nothing when it is killed between two of its writes', async () => {
    const [early, late] = [manyRoles().slice(0, 240), manyRoles().slice(240)];
    await append(stage.log.store, story);
    await appendSideBySide(stage.log.store, early);
    // The first dies while everything is new, the second among what came since the last that was stored.
    await dyingAt(150);
    const projector = stage.project();
    await expect.poll(() => projector.status.caughtUp, inTime).toBe(true);
    await projector.stop();
    const position = await appendSideBySide(stage.log.store, late);
    await dyingAt(3);
    stage.project();
    await (await stage.read()).waitFor(position, 20_000);
    await stage.stopAll();
    expect(await dump(stage.folder)).toEqual(await stage.cleanFold(position));
  });

  it('loses and repeats nothing when its process is killed again and again', async () => {
    const facts = manyRoles();
    await append(stage.log.store, story);
    const data = stage.folder;
    for (let kill = 0; kill < 2; kill += 1) {
      const child = startChild(stage.log.connectionString, data);
      await readyAfterStart(child);
      const appending = appendSideBySide(stage.log.store, facts.slice(kill * 120, kill * 120 + 120));
      // A different moment each time, in the middle of whatever it does.
      await waitMs(5 + kill * 20);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await appending;
    }
    const position = await appendSideBySide(stage.log.store, facts.slice(240));
    const models = join(data, 'read-models');
    const child = startChild(stage.log.connectionString, data);
    stage.ends(async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
    const built = await stage.read(models);
    await expect.poll(() => built.isBuilt(), inTime).toBe(true);
    await built.waitFor(position, 20_000);
    await stage.stopAll();
    expect(await dump(models)).toEqual(await stage.cleanFold(position));
  });

  it('builds anew from the log when its files are damaged', async () => {
    const position = await append(stage.log.store, story);
    stage.project();
    await (await stage.read()).waitFor(position, 5_000);
    await stage.stopAll();
    const before = await dump(stage.folder);
    await writeFile(currentDatabase({ folder: stage.folder, version: readModelsVersion }) ?? '', 'rubbish');
    stage.project();
    await expect.poll(() => dump(stage.folder).catch(() => undefined), inTime).toEqual(before);
  });

  it('F-28 builds anew from the log when what it had stored, with its position, is gone', async () => {
    const position = await append(stage.log.store, story);
    stage.project();
    await (await stage.read()).waitFor(position, 5_000);
    await stage.stopAll();
    const before = await dump(stage.folder);
    await rm(currentDatabase({ folder: stage.folder, version: readModelsVersion }) ?? '');
    stage.project();
    await expect.poll(() => dump(stage.folder).catch(() => undefined), inTime).toEqual(before);
  });

  it('builds anew when the log is another one', async () => {
    const position = await append(stage.log.store, story);
    stage.project();
    await (await stage.read()).waitFor(position, 5_000);
    await stage.stopAll();
    const other = await startLog();
    await append(other.store, new Story().tell('role-z', roleCreated('z', 'only')).facts);
    stage.ends(() => other.stop());
    stage.project({}, other.store);
    const models = await stage.read();
    await expect
      .poll(async () => (await listRoles(models, { limit: 5 })).items.map(({ name }) => name), inTime)
      .toEqual(['only']);
    expect((await auditEvents(models, { filters: {}, limit: 100 })).total).toBe(1);
  });

  /** A projector that ends itself in the middle of a commit, after so many writes. */
  async function dyingAt(nth: number): Promise<void> {
    const program = join(import.meta.dirname, 'testing', 'dying-projector.ts');
    const child = spawn(process.execPath, [program, stage.log.connectionString, stage.folder, String(nth)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  }
});

function startChild(connectionString: string, data: string): ChildProcess {
  return fork(new URL('./main.ts', import.meta.url), {
    env: {
      ...process.env,
      EVENTSTORE_CONNECTION_STRING: connectionString,
      CLUSTRAL_DATA: data,
      PROXY_RETENTION: '3650d',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function readyAfterStart(child: ChildProcess): Promise<void> {
  const [message] = (await once(child, 'message')) as [{ kind: string }];
  expect(message.kind).toBe('ready');
}

const waitMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
