/**
 * What all long answers (watches, followed logs) need: a place among a bounded number of them, and a way to sleep
 * until there is something to send.
 */
import type { Call } from './call.ts';
import { limits } from './limits.ts';
import { tooManyRequests } from './status.ts';

/**
 * Takes one of the places for long answers; the caller gives it back when it ends.
 * @throws ApiError 429 when all are taken
 */
export function holdStream({ exchange, cluster }: Call): void {
  if (cluster.openStreams.size >= limits.streams)
    throw tooManyRequests(`the demo cluster has ${limits.streams} watches and followed logs open; try again later`);
  cluster.openStreams.add(exchange);
}

/** Lets a loop sleep until something happened, the exchange ended or time is up. */
export class Bell {
  readonly #stop: () => void;
  readonly #signal: AbortSignal;
  #wake: (() => void) | undefined;

  /** @param listen calls the given function at every event until the function it returns is called */
  constructor(listen: (ring: () => void) => () => void, signal: AbortSignal) {
    this.#signal = signal;
    const ring = (): void => this.#wake?.();
    const unlisten = listen(ring);
    signal.addEventListener('abort', ring);
    this.#stop = () => {
      unlisten();
      signal.removeEventListener('abort', ring);
    };
  }

  /** Waits for the next event, at most `ms` milliseconds. */
  async rung(ms: number): Promise<void> {
    if (this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  close(): void {
    this.#stop();
  }
}
