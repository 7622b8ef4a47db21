/**
 * One open stream. What changes while its reader is busy is put together into one message, so what waits for a reader is
 * never more than a few words, however slow they are and however much happens. Whoever does not read at all is cut off.
 */
import { WatchEvent, type WatchTopic } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Viewer } from './change.ts';

export type WatchMessage = {
  readonly event: WatchEvent;
  readonly position: bigint;
  readonly topics: readonly WatchTopic[];
};

export type WatchTimes = {
  /** A stream that has nothing to say says so this often. */
  readonly heartbeatMs: number;
  /** From one message to the next at the least. */
  readonly spacingMs: number;
  /** By when a message must have been taken. */
  readonly stallMs: number;
};

export type WatcherOptions = WatchTimes & {
  readonly viewer: Viewer;
  readonly topics: ReadonlySet<WatchTopic>;
  readonly first: Pick<WatchMessage, 'event' | 'position'>;
  /** When the token ends that the viewer came with. */
  readonly expiresAt: Date;
  /** Throws when nobody can say any more who may see what (D16). */
  readonly assertFresh: () => void;
  readonly cut: () => void;
  readonly now: () => Date;
  readonly monotonic: () => number;
};

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #pending = new Set<WatchTopic>();
  #position: bigint;
  #hasBegun = false;
  #sentAtMs = 0;
  #end: Refusal | 'gone' | undefined;
  #wake: (() => void) | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#position = options.first.position;
  }

  get viewer(): Viewer {
    return this.#options.viewer;
  }

  /** Takes note of what the viewer may know. */
  tell(topics: readonly WatchTopic[], position: bigint): void {
    const wanted = topics.filter((topic) => this.#options.topics.has(topic));
    if (wanted.length === 0) return;
    for (const topic of wanted) this.#pending.add(topic);
    this.#position = position;
    this.#wake?.();
  }

  /** Ends the stream: with a reason for the reader, or without one because there is none any more. */
  end(why: Refusal | 'gone'): void {
    this.#end ??= why;
    this.#wake?.();
  }

  /** Until it is ended. Throws the reason. */
  async *messages(): AsyncGenerator<WatchMessage> {
    for (let message = await this.#next(); message !== undefined; message = await this.#next()) {
      const unread = setTimeout(() => this.#stalled(), this.#options.stallMs);
      try {
        yield message;
      } finally {
        clearTimeout(unread);
      }
    }
  }

  async #next(): Promise<WatchMessage | undefined> {
    for (;;) {
      if (this.#end === 'gone') return undefined;
      if (this.#end) throw this.#end;
      if (!this.#hasBegun) return this.#begin();
      const { now, expiresAt, assertFresh } = this.#options;
      const expiresInMs = expiresAt.getTime() - now().getTime();
      if (expiresInMs <= 0) throw tokenEnded();
      assertFresh();
      const dueInMs = this.#dueInMs();
      if (dueInMs <= 0) return this.#take();
      await this.#woken(Math.min(dueInMs, expiresInMs));
    }
  }

  #begin(): WatchMessage {
    this.#hasBegun = true;
    this.#sentAtMs = this.#options.monotonic();
    return { ...this.#options.first, topics: [] };
  }

  #take(): WatchMessage {
    this.#sentAtMs = this.#options.monotonic();
    const topics = [...this.#pending].toSorted((one, other) => one - other);
    this.#pending.clear();
    const event = topics.length === 0 ? WatchEvent.HEARTBEAT : WatchEvent.CHANGED;
    return { event, position: this.#position, topics };
  }

  #dueInMs(): number {
    const { heartbeatMs, spacingMs, monotonic } = this.#options;
    return this.#sentAtMs + (this.#pending.size > 0 ? spacingMs : heartbeatMs) - monotonic();
  }

  async #woken(withinMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  #stalled(): void {
    this.end(
      new Refusal('RATE_LIMITED', 'The stream was not read. Open it again, after the last position that was read.'),
    );
    // The reason cannot reach somebody who does not read, and the connection must not wait for them.
    this.#options.cut();
  }
}

const tokenEnded = (): Refusal =>
  new Refusal('INVALID_TOKEN', 'The token that the stream was opened with has ended. Open it again with a new one.');
