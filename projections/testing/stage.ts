/** For tests of the projector: a log, a folder for read models, and whatever a test opens between them, closed in reverse. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Document } from '../read-store.ts';
import { openReadModels, type ReadModels } from '../read-models.ts';
import { dump, startLog, startProjector, type LogUnderTest, type RunningProjector } from './rig.ts';

type End = () => Promise<void> | void;

export class Stage {
  readonly log: LogUnderTest;
  /** Where the read models lie. */
  readonly folder: string;
  readonly #ends: End[] = [];

  constructor(log: LogUnderTest, folder: string) {
    this.log = log;
    this.folder = folder;
  }

  project(
    options: Parameters<typeof startProjector>[2] = {},
    eventStore: EventStore = this.log.store,
  ): RunningProjector {
    const projector = startProjector(eventStore, this.folder, options);
    this.ends(() => projector.stop());
    return projector;
  }

  async read(folder = this.folder): Promise<ReadModels> {
    const models = await openReadModels({ folder });
    this.ends(() => models.close());
    return models;
  }

  /** Something to be called before what was opened earlier is closed. */
  ends(end: End): void {
    this.#ends.push(end);
  }

  /** Closes what was opened; the log and the folder stay. */
  async stopAll(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end();
  }

  /** What one undisturbed run makes of the log up to the position. */
  async cleanFold(position: bigint): Promise<Readonly<Record<string, readonly Document[]>>> {
    const clean = await mkdtemp(join(tmpdir(), 'rm-'));
    const projector = startProjector(this.log.store, clean);
    const models = await openReadModels({ folder: clean });
    await models.waitFor(position, 20_000);
    models.close();
    await projector.stop();
    const all = await dump(clean);
    await rm(clean, { recursive: true });
    return all;
  }

  async dispose(): Promise<void> {
    await this.stopAll();
    await this.log.stop();
    await rm(this.folder, { recursive: true });
  }
}

/** An empty log, and nothing running. */
export const openStage = async (): Promise<Stage> => new Stage(await startLog(), await mkdtemp(join(tmpdir(), 'rm-')));
