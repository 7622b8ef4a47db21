import { afterEach, describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { LogMessage } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { noon, roleId } from './domain/fixtures.ts';
import { startPolicy, type PolicyQueries } from './policy.ts';
import { facts, worldOf } from './testing/policy-world.ts';

/** A log whose subscription is fed by hand. */
class HandFedLog {
  readonly #messages: LogMessage[] = [];
  #wake = Promise.withResolvers<void>();

  feed(...messages: readonly LogMessage[]): void {
    this.#messages.push(...messages);
    this.#wake.resolve();
  }

  async *subscribe({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<LogMessage> {
    signal.addEventListener('abort', () => this.#wake.resolve());
    while (!signal.aborted) {
      for (let next = this.#messages.shift(); next; next = this.#messages.shift()) yield next;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}

const recordedFacts = worldOf(facts.tookOver(1), facts.role(1), facts.roleDeleted(1)).log;
const message = (at: number): LogMessage => ({ kind: 'fact', fact: recordedFacts[at] as Recorded });
const stops: (() => Promise<void>)[] = [];

async function started(from: { log?: HandFedLog; isFresh?: () => boolean; monotonic?: () => number } = {}) {
  const { log = new HandFedLog(), isFresh = () => true, monotonic = () => 0 } = from;
  log.feed(message(0));
  const policy = await startPolicy({
    eventStore: log,
    lease: { isFresh, position: 10n },
    log: createLog('test', 'silent'),
    now: () => noon.getTime(),
    monotonic,
    signal: new AbortController().signal,
  });
  stops.push(() => policy.stop());
  return { policy: policy as PolicyQueries, log };
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe('the running policy fold', () => {
  it('has started when it has reached the place where the lease was taken', async () => {
    const log = new HandFedLog();
    const starting = started({ log });
    log.feed(message(1));
    const { policy } = await starting;
    expect(() => policy.assertFresh()).not.toThrow();
  });

  it('has a fact when the wait for it ends, and listeners have heard of it by then', async () => {
    const { policy, log } = await started();
    const heard: string[] = [];
    policy.onFact(({ type }) => heard.push(`${type} ${policy.role(roleId())?.status}`));
    const waiting = policy.reached(20n, 1_000);
    log.feed(message(1));
    await waiting;
    expect(heard).toEqual(['role.created active']);
  });

  it('reaches a place between two facts by a checkpoint', async () => {
    const { policy, log } = await started();
    log.feed({ kind: 'checkpoint', position: 25n });
    await policy.reached(22n, 1_000);
  });

  it('takes no fact that it had before', async () => {
    const { policy, log } = await started();
    log.feed(message(1), message(2), message(1), { kind: 'checkpoint', position: 40n });
    await policy.reached(40n, 1_000);
    expect(policy.role(roleId())?.status).toBe('deleted');
  });

  it('gives up waiting at the deadline', async () => {
    const { policy } = await started();
    await expect(policy.reached(99n, 5)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('a fold that cannot prove that it is current', () => {
  it('decides nothing when the lease is not fresh', async () => {
    const { policy } = await started({ isFresh: () => false });
    expect(() => policy.assertFresh()).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
  });

  it('decides nothing while it has been behind what was written for more than 3 seconds', async () => {
    let clockMs = 0;
    const { policy, log } = await started({ monotonic: () => clockMs });
    await expect(policy.reached(20n, 5)).rejects.toThrow();
    clockMs = 3_000;
    expect(() => policy.assertFresh()).not.toThrow();
    clockMs = 3_001;
    expect(() => policy.assertFresh()).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
    log.feed(message(1));
    await policy.reached(20n, 1_000);
    expect(() => policy.assertFresh()).not.toThrow();
  });

  it('decides nothing after it stopped following the log', async () => {
    const { policy } = await started();
    await stops.pop()?.();
    expect(() => policy.assertFresh()).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
  });
});
