/**
 * Keeps the snapshot of the policy fold, and finds it again at the next start (D25). A snapshot is a cache and never a
 * truth: one of another log, another build or a later clock, one that is damaged, and one whose fact the log does not
 * have where it should be, is passed over with a line in the log, and everything is folded from the beginning. Nothing
 * that goes wrong here stops a start or a decision.
 */
import { join } from 'node:path';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { foldSchema } from './fold-schema.ts';
import { readSnapshotFile, writeSnapshotFile } from './policy-snapshot-file.ts';
import { snapshotBytes, snapshotFrom, snapshotHead, type Snapshot, type SnapshotHead } from './policy-snapshot.ts';
import type { FoldSource } from './policy.ts';

const factsBetween = 50_000;
const mostMsBetween = 600_000;
const lookEveryMs = 5_000;
/** At a stop; the stop as a whole has 4.5 s. The one before stays when it is not enough. */
const lastSaveMs = 2_000;

export type SnapshotsOptions = {
  /** Made with mode 0700; without a folder nothing is kept. */
  readonly snapshotFolder?: string;
  readonly eventStore: Pick<EventStore, 'load'>;
  /** Names the log that is open. */
  readonly logId: string;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
};

export type Snapshots = {
  /** What the fold may begin with. */
  readonly found: Snapshot | undefined;
  /**
   * Saves the fold every 50,000 facts, every ten minutes in which there was one, and at the stop, for which the fold
   * must have stopped.
   */
  keep(fold: FoldSource): Running;
};

/** Looks for a snapshot. Never rejects because of one. */
export async function openSnapshots(options: SnapshotsOptions): Promise<Snapshots> {
  const { snapshotFolder } = options;
  if (snapshotFolder === undefined) return { found: undefined, keep: () => ({ stop: () => Promise.resolve() }) };
  const place = { ...options, path: join(snapshotFolder, 'policy-fold'), schema: foldSchema() };
  const found = await find(place);
  return { found, keep: (fold) => new Keeper(place, fold) };
}

type Place = SnapshotsOptions & { readonly path: string; readonly schema: string };

async function find(place: Place): Promise<Snapshot | undefined> {
  const { path, log, monotonic } = place;
  const from = monotonic();
  try {
    const bytes = await readSnapshotFile(path);
    if (!bytes) return undefined;
    const head = snapshotHead(bytes);
    const reason = differs(head, place) ?? (await missing(head, place));
    if (reason === undefined) {
      const snapshot = snapshotFrom(bytes);
      const { position } = head.at;
      const unreadableStreams = [...snapshot.parts.unreadable].length;
      const ms = Math.round(monotonic() - from);
      const said = { position: position.toString(), bytes: bytes.length, ms, unreadableStreams };
      log.info(said, 'the policy fold begins with a snapshot');
      return snapshot;
    }
    log.warn({ path, reason }, 'a snapshot of the policy fold is passed over');
  } catch (cause) {
    log.warn({ path, reason: String(cause) }, 'a snapshot of the policy fold cannot be used');
  }
  return undefined;
}

/** Why a snapshot does not fit what is here now. */
function differs(head: SnapshotHead, { logId, schema, now }: Place): string | undefined {
  if (head.logId !== logId) return 'it is of another log';
  if (head.schema !== schema) return 'it is of another version';
  // By a clock that was ahead the fold forgot credentials and attempts that count by the right one.
  if (head.newestSeconds * 1000 > now().getTime()) return 'it was made by a clock that was ahead of this one';
  return undefined;
}

/** Why the log does not go through the fact of the snapshot: it was put back to an earlier state, or is another one. */
async function missing({ at }: SnapshotHead, { eventStore }: Place): Promise<string | undefined> {
  const { facts } = await eventStore.load(at.stream, at.revision);
  const [fact] = facts;
  const isThere = fact?.id === at.id && fact.revision === at.revision && fact.position === at.position;
  return isThere ? undefined : 'the log does not have its last fact where it was';
}

class Keeper implements Running {
  readonly #place: Place;
  readonly #fold: FoldSource;
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  #saving: Promise<void> = Promise.resolve();
  #isSaving = false;
  #savedFacts = 0;
  #savedAt: number;

  constructor(place: Place, fold: FoldSource) {
    this.#place = place;
    this.#fold = fold;
    this.#savedAt = place.monotonic();
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort(new Error('the process stops'));
    await this.#saving;
    if (this.#fold.factsRead > this.#savedFacts) await this.#save(AbortSignal.timeout(lastSaveMs));
  }

  #look(): void {
    const facts = this.#fold.factsRead - this.#savedFacts;
    const isDue = facts >= factsBetween || (facts > 0 && this.#place.monotonic() - this.#savedAt >= mostMsBetween);
    if (!isDue || this.#isSaving) return;
    this.#isSaving = true;
    this.#saving = this.#save(this.#stopped.signal).finally(() => (this.#isSaving = false));
  }

  /** Waits as long after a failure as after a success: what a full disk refused, it refuses for a while. */
  async #save(signal: AbortSignal): Promise<void> {
    const { path, logId, schema, log, monotonic } = this.#place;
    const captured = this.#fold.capture();
    if (!captured) return;
    const factsRead = this.#fold.factsRead;
    const from = monotonic();
    try {
      const bytes = await writeSnapshotFile(path, snapshotBytes({ logId, schema, ...captured }), { signal });
      const ms = Math.round(monotonic() - from);
      log.info({ position: captured.at.position.toString(), bytes, ms }, 'a snapshot of the policy fold was saved');
    } catch (cause) {
      log.warn({ path, reason: String(cause) }, 'a snapshot of the policy fold could not be saved');
      if (this.#stopped.signal.aborted) return;
    }
    this.#savedFacts = factsRead;
    this.#savedAt = monotonic();
  }
}
