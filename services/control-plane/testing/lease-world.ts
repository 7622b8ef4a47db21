/**
 * Several control planes and one log in virtual time, for tests of the lease: processes freeze, die and come back, the log is out
 * of reach of some, its answers are late or get lost, and an append may arrive long after it was sent. Nothing here waits.
 */
import { setImmediate } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { NewFact, Recorded, Revision } from '@clustral/schemas/events/envelope.ts';
import { RevisionConflict, type EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { takeLease, type Lease } from '../lease.ts';

type Event = { readonly at: number; readonly order: number; readonly run: () => void };

/** How the way to the log is. Milliseconds; drawn anew for each call. */
export type Weather = { readonly there: () => number; readonly back: () => number; readonly isLost: () => boolean };

const callDeadlineMs = 5_000;
const log = createLog('test', 'silent');

export class LeaseWorld {
  readonly streams = new Map<string, Recorded[]>();
  readonly processes: LeaseProcess[] = [];
  now = 0;
  weather: Weather;
  #events: Event[] = [];
  #order = 0;

  constructor(weather: Weather) {
    this.weather = weather;
  }

  at(ms: number, run: () => void): void {
    this.#order += 1;
    this.#events.push({ at: Math.max(ms, this.now), order: this.#order, run });
  }

  /** Runs all that happens until then; `look` is called after each step. */
  async runUntil(end: number, look: () => void): Promise<void> {
    for (;;) {
      this.#events.sort((a, b) => a.at - b.at || a.order - b.order);
      const [next] = this.#events;
      if (next === undefined || next.at > end) break;
      this.#events.shift();
      this.now = next.at;
      next.run();
      await setImmediate();
      look();
    }
    this.now = end;
  }

  facts(stream: string): Recorded[] {
    const known = this.streams.get(stream) ?? [];
    this.streams.set(stream, known);
    return known;
  }

  write(stream: string, expected: Revision, facts: readonly NewFact[]): { revision: number; position: bigint } {
    const written = this.facts(stream);
    const actual = written.length === 0 ? 'none' : written.length - 1;
    if (actual !== expected) throw new RevisionConflict({ stream, expected, actual });
    for (const fact of facts) {
      const revision = written.length;
      written.push({ ...fact, stream, revision, position: BigInt(revision), recordedAt: new Date(this.now) });
    }
    return { revision: written.length - 1, position: BigInt(written.length - 1) };
  }

  start(holder: string): LeaseProcess {
    const process = new LeaseProcess(this, holder);
    this.processes.push(process);
    return process;
  }
}

/** One life of a control plane as far as the lease goes. */
export class LeaseProcess {
  readonly holder: string;
  readonly #world: LeaseWorld;
  readonly #end = new AbortController();
  lease: Lease | undefined;
  #frozenUntil = 0;
  #awayUntil = 0;
  #muteUntil = 0;

  constructor(world: LeaseWorld, holder: string) {
    this.#world = world;
    this.holder = holder;
    const eventStore = this.#store();
    void takeLease({
      eventStore,
      holder,
      log,
      monotonic: () => world.now,
      signal: this.#end.signal,
      pause: (ms, signal) => this.#pause(ms, signal),
    }).then(
      (lease) => {
        if (this.#end.signal.aborted) return;
        this.lease = lease;
        void lease.lost.then(() => this.kill());
      },
      () => undefined,
    );
  }

  /** True when it would let a request through, or acknowledge a command, now. A frozen one does nothing. */
  get acts(): boolean {
    const { now } = this.#world;
    return !this.#end.signal.aborted && now >= this.#frozenUntil && this.lease !== undefined && this.lease.isFresh();
  }

  get isAlive(): boolean {
    return !this.#end.signal.aborted;
  }

  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#world.now + ms);
  }

  /** The log is out of its reach. */
  away(ms: number): void {
    this.#awayUntil = Math.max(this.#awayUntil, this.#world.now + ms);
  }

  /** It reads the log, and cannot write to it. */
  mute(ms: number): void {
    this.#muteUntil = Math.max(this.#muteUntil, this.#world.now + ms);
  }

  kill(): void {
    this.#end.abort();
  }

  // What happens to a frozen process happens when it wakes.
  #whenAwake(at: number, run: () => void): void {
    this.#world.at(at, () => {
      if (this.#end.signal.aborted) return;
      if (this.#world.now < this.#frozenUntil) this.#whenAwake(this.#frozenUntil, run);
      else run();
    });
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      this.#whenAwake(this.#world.now + ms, resolve);
    });
  }

  #store(): Pick<EventStore, 'load' | 'append'> {
    const load = (stream: string, from = 0) =>
      this.#call(() => {
        const facts = this.#world.facts(stream);
        return { facts: facts.slice(from), revision: facts.length === 0 ? ('none' as const) : facts.length - 1 };
      });
    return {
      load: load as EventStore['load'],
      append: (stream, expected, facts) =>
        this.#call(() => {
          if (this.#world.now < this.#muteUntil) throw new Refusal('STORE_UNAVAILABLE', 'no more writes');
          return this.#world.write(stream, expected, facts);
        }),
    };
  }

  #call<Answer>(act: () => Answer): Promise<Answer> {
    const world = this.#world;
    const { there, back, isLost } = world.weather;
    return new Promise((resolve, reject) => {
      const unavailable = (): void => reject(new Refusal('STORE_UNAVAILABLE', 'out of reach'));
      this.#whenAwake(world.now + callDeadlineMs, unavailable);
      if (world.now < this.#awayUntil) return;
      // What was sent arrives, whatever becomes of the sender.
      world.at(world.now + there(), () => {
        const answered = settle(act);
        if (isLost() || world.now < this.#awayUntil) return;
        this.#whenAwake(world.now + back(), () => {
          if ('error' in answered) reject(answered.error as Error);
          else resolve(answered.value);
        });
      });
    });
  }
}

function settle<Answer>(act: () => Answer): { readonly value: Answer } | { readonly error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}
