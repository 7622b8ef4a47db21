/**
 * The one loop of the read side: follow the log from where the read models stand, apply facts in order, store documents and
 * position together. It decides nothing and skips nothing: a fact that it cannot apply stops it, loudly, until a build
 * that can is started (ES-04). What is built anew is built beside what readers see and shown when it has caught up (ES-06).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventStore, LogMessage } from '@clustral/kernel/event-store-port.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { auditPrefixes } from '@clustral/schemas/events/catalogue.ts';
import { openFold, PoisonFact, type Fold } from './fold.ts';
import { inBatches } from './in-batches.ts';
import { LagWatch, type Lag } from './lag.ts';
import type { ReadModel } from './model.ts';
import { ReadStoreDamaged, type ReadStore } from './read-store.ts';
import { Retention } from './retention.ts';

/** While there is much to catch up with, large batches: the pages of the indexes are then written once for many rows. */
const catchingUp = { most: 2_000, lingerMs: 50 } as const;
/** When it is live, somebody waits to see their change. */
const live = { most: 500, lingerMs: 3 } as const;
const idleMs = 1_000;

export type ProjectorOptions = {
  readonly eventStore: EventStore;
  readonly store: ReadStore;
  readonly models: readonly ReadModel[];
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** How long the rows of proxied requests are kept (D26). */
  readonly keepSeconds: number;
};

/** How the projection stands; the projector changes it while it runs. */
export type ProjectorStatus = {
  caughtUp: boolean;
  halted: string | undefined;
  position: bigint | undefined;
  lag: Lag;
  /** Facts applied since the start. */
  facts: number;
};

export const newStatus = (): ProjectorStatus => ({
  caughtUp: false,
  halted: undefined,
  position: undefined,
  lag: { head: undefined, events: 0, currentAt: undefined },
  facts: 0,
});

/** Runs until the signal aborts. Throws when the store cannot be written. */
export async function runProjector(options: ProjectorOptions, status: ProjectorStatus = newStatus()): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await follow(options, status);
    } catch (error) {
      if (!(error instanceof ReadStoreDamaged)) throw error;
      options.log.error({ err: error }, 'the read models are damaged: they are built anew from the log');
      await options.store.startOver();
    }
  }
}

async function follow(options: ProjectorOptions, status: ProjectorStatus): Promise<void> {
  const { eventStore, store, signal, log, now } = options;
  const fold = await foldOfThisLog(options);
  if (!fold) return;
  status.position = fold.committed;
  const after = fold.committed;
  const source = eventStore.subscribe({ prefixes: auditPrefixes, signal, ...(after === undefined ? {} : { after }) });
  const retention = new Retention(options.keepSeconds);
  const watch = new LagWatch(eventStore);
  const limits = { now: () => (status.caughtUp ? live : catchingUp), idleMs };
  for await (const messages of inBatches(source, limits)) {
    if (await store.isReplaced()) return reopen(options);
    const poison = await takeAll(fold, messages);
    if (poison) return halt(options, { fold, status, poison });
    await fold.commit();
    status.position = fold.committed;
    if (messages.some(({ kind }) => kind === 'caughtUp')) {
      if (!status.caughtUp) log.info({ position: String(fold.committed ?? 'none') }, 'the read models have caught up');
      await store.publish();
      status.caughtUp = true;
    }
    status.facts += messages.filter(({ kind }) => kind === 'fact').length;
    const at = now();
    status.lag = watch.at(fold.committed, at.getTime());
    // Looking for what is old takes an index, which may come last.
    const old = status.caughtUp ? await retention.due(store, at) : [];
    const due = [...old, ...watch.due(status.lag, at.getTime())];
    if (due.length > 0) await fold.commitBeside(due);
  }
}

/** What was built anew beside is what readers see now: it goes on from there. */
async function reopen({ store, log }: ProjectorOptions): Promise<void> {
  await store.reopen();
  log.info('the read models were built anew beside and switched: following the log from there');
}

/** Applies the messages in order; gives the fact that stopped it, if one did. */
async function takeAll(fold: Fold, messages: readonly LogMessage[]): Promise<PoisonFact | undefined> {
  for (const message of messages) {
    if (message.kind === 'checkpoint') fold.pass(message.position);
    if (message.kind !== 'fact') continue;
    try {
      await fold.take(message.fact);
    } catch (error) {
      if (error instanceof PoisonFact) return error;
      throw error;
    }
  }
  return undefined;
}

type Stop = { readonly fold: Fold; readonly status: ProjectorStatus; readonly poison: PoisonFact };

/** Stores what came before the fact, raises the alarm, and waits to be stopped. */
async function halt(options: ProjectorOptions, { fold, status, poison }: Stop): Promise<void> {
  const { log, signal } = options;
  const { fact } = poison;
  await fold.halt(poison.message);
  status.halted = poison.message;
  status.position = fold.committed;
  log.fatal(
    { err: poison, alarm: 'poison_fact', position: String(fact.position), stream: fact.stream, type: fact.type },
    'the projection stops before a fact that it cannot apply: start a build that knows it, nothing is skipped',
  );
  const watch = new LagWatch(options.eventStore);
  while (!signal.aborted) {
    status.lag = watch.at(fold.committed, options.now().getTime());
    await sleep(idleMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The stored state if it comes from this log, else a new beginning. Undefined when it was stopped meanwhile. */
async function foldOfThisLog(options: ProjectorOptions): Promise<Fold | undefined> {
  const { store, models, log } = options;
  const fold = await openFold(store, models);
  if (fold.committed === undefined) return fold;
  const same = await isSameLog(options, fold);
  if (same === undefined) return undefined;
  if (same) return fold;
  log.warn({ position: String(fold.committed) }, 'the read models come from another log: they are built anew');
  await store.startOver();
  return openFold(store, models);
}

/** Waits for the log. Undefined when it was stopped meanwhile. */
async function isSameLog({ eventStore, signal, log }: ProjectorOptions, { last }: Fold): Promise<boolean | undefined> {
  // Nothing to know the log by: what little there is, is built again.
  if (last === null) return false;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const { facts } = await eventStore.load(last.stream, last.revision);
      return facts[0]?.id === last.id;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log.warn({ err: error }, 'the log does not answer, asking again');
      const limitMs = Math.min(10_000, 200 * 2 ** Math.min(failures, 6));
      await sleep(100 + Math.random() * limitMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
