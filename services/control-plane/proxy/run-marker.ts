/**
 * A small file in the data folder that tells the next start how this run ended: cleanly or not, until when every record was
 * durable, where open requests began, and which clusters were in use (D30). It is a cache: without it the next start asks
 * the log, and only its gaps grow wider. It holds ids and times, no request.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { TrailMark } from './audit-trail.ts';

const fileName = 'proxy-run.json';
const everyMs = 1_000;

/** What the file says. `durableUntil` is ISO 8601. */
export type RunMark = {
  readonly epoch: number;
  readonly clean: boolean;
  readonly durableUntil: string;
  readonly open: Readonly<Record<string, number>>;
  readonly clusters: readonly string[];
};

export type RunMarkerOptions = {
  readonly folder: string;
  readonly epoch: number;
  readonly mark: () => TrailMark;
  readonly log: Log;
};

export type RunMarker = {
  /** What the run before left; undefined when there is nothing to read. */
  readonly previous: RunMark | undefined;
  knows(clusterId: ClusterId): boolean;
  /** Resolves when the file says on disk that this cluster is in use. */
  use(clusterId: ClusterId): Promise<void>;
  /** What the run before left open is on record now, so it need not be carried on. */
  recovered(): void;
  /** Writes the last state. `clean`: every record is durable and nothing is open. */
  stop(clean: boolean): Promise<void>;
};

/** Reads what the run before left, and from then on writes this run's state once a second. */
export async function openRunMarker(options: RunMarkerOptions): Promise<RunMarker> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const marker = new Marker(options, await readMark(options));
  await marker.write(false);
  marker.begin();
  return marker;
}

class Marker implements RunMarker {
  readonly previous: RunMark | undefined;
  readonly #options: RunMarkerOptions;
  readonly #clusters = new Set<string>();
  #pending: RunMark | undefined;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RunMarkerOptions, previous: RunMark | undefined) {
    this.#options = options;
    this.previous = this.#pending = previous;
  }

  begin(): void {
    this.#timer = setInterval(() => void this.write(false), everyMs);
    this.#timer.unref();
  }

  knows(clusterId: ClusterId): boolean {
    return this.#clusters.has(clusterId);
  }

  async use(clusterId: ClusterId): Promise<void> {
    this.#clusters.add(clusterId);
    await this.write(false);
  }

  recovered(): void {
    this.#pending = undefined;
  }

  async stop(clean: boolean): Promise<void> {
    clearInterval(this.#timer);
    await this.write(clean && this.#pending === undefined);
  }

  /** One write at a time; each says what is true when its turn comes. */
  async write(clean: boolean): Promise<void> {
    this.#writing = this.#writing.then(() => this.#replace(JSON.stringify(this.#state(clean))));
    await this.#writing;
  }

  #state(clean: boolean): RunMark {
    const { durableUntil, open: opened } = this.#options.mark();
    const before = this.#pending;
    const until = durableUntil.toISOString();
    return {
      epoch: this.#options.epoch,
      clean,
      durableUntil: before !== undefined && before.durableUntil < until ? before.durableUntil : until,
      open: { ...opened, ...before?.open },
      clusters: [...new Set([...(before?.clusters ?? []), ...this.#clusters])],
    };
  }

  // Old or new, never torn; a full disk costs the cache, not the request.
  async #replace(text: string): Promise<void> {
    const path = join(this.#options.folder, fileName);
    try {
      const file = await open(`${path}.new`, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    } catch (cause) {
      this.#options.log.error({ err: cause }, `${path} cannot be written`);
    }
  }
}

async function readMark({ folder, log }: RunMarkerOptions): Promise<RunMark | undefined> {
  const path = join(folder, fileName);
  try {
    const mark: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isMark(mark)) return mark;
    log.warn(`${path} is not of this version and is ignored`);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') log.warn({ err: cause }, `${path} cannot be read`);
  }
  return undefined;
}

function isMark(json: unknown): json is RunMark {
  if (typeof json !== 'object' || json === null) return false;
  const { epoch, clean, durableUntil, open: opened, clusters } = json as Partial<Record<keyof RunMark, unknown>>;
  return (
    typeof epoch === 'number' &&
    typeof clean === 'boolean' &&
    typeof durableUntil === 'string' &&
    !Number.isNaN(Date.parse(durableUntil)) &&
    typeof opened === 'object' &&
    opened !== null &&
    Object.values(opened).every((revision) => Number.isInteger(revision)) &&
    Array.isArray(clusters) &&
    clusters.every((id) => typeof id === 'string')
  );
}
