/**
 * A small file whose meaning is kept in memory and read anew when it was changed: looked at when somebody needs it and the last look is too
 * old, without a timer. However many ask at once, one look runs. A file that cannot be read or understood leaves the last meaning
 * in place and is told of once.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './log.ts';

export type WatchedFile<Meaning> = {
  current(): Meaning;
  /** Rises with every new meaning. */
  generation(): number;
  /** Looks when the last look began 2 s ago or earlier; nothing to wait for when it did not. */
  lookIfStale(): Promise<void> | undefined;
  /** Looks once more, from now on: what is in the file now is known afterwards. At most ten times a second, so it may wait. */
  lookAgain(): Promise<void>;
};

export type WatchFileOptions<Meaning> = {
  readonly path: string;
  /** Throws when the text cannot be understood. */
  readonly read: (text: string) => Promise<Meaning>;
  readonly log: Pick<Log, 'warn'>;
  readonly monotonicMs?: () => number;
};

const staleMs = 2_000;
const coolDownMs = 100;

/** Reads the file for the first time. Throws when it cannot be read or understood. */
export async function watchFile<Meaning>(options: WatchFileOptions<Meaning>): Promise<WatchedFile<Meaning>> {
  const { path, read, log, monotonicMs = () => performance.now() } = options;
  let beganAtMs = monotonicMs();
  let text = await readFile(path, 'utf8');
  let meaning = await read(text).catch((cause: unknown) => {
    throw new Error(`${path} cannot be used: ${(cause as Error).message}`, { cause });
  });
  let generation = 0;
  let problem: string | undefined;
  let looking: Promise<void> | undefined;
  let looks = 0;

  const look = async (): Promise<void> => {
    beganAtMs = monotonicMs();
    looks += 1;
    try {
      const found = await readFile(path, 'utf8');
      if (found !== text) {
        meaning = await read(found);
        text = found;
        generation += 1;
      }
      problem = undefined;
    } catch (cause) {
      const { message } = cause as Error;
      if (message !== problem) log.warn(`${path} cannot be used, what was read before stays in force: ${message}`);
      problem = message;
    }
  };
  const lookOnce = (): Promise<void> => (looking ??= look().finally(() => (looking = undefined)));
  return {
    current: () => meaning,
    generation: () => generation,
    lookIfStale: () => (monotonicMs() - beganAtMs < staleMs ? undefined : lookOnce()),
    async lookAgain() {
      // One that is under way may have read the file a moment too early.
      const before = looks;
      while (looking || looks === before) {
        if (looking) await looking;
        else await sleep(Math.max(0, coolDownMs - (monotonicMs() - beganAtMs)));
        if (!looking && looks === before) await lookOnce();
      }
    },
  };
}
