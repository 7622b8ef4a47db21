/**
 * After an unclean stop: says of each request that was on record as started and has no end that its outcome is unknown,
 * and of each cluster that was in use from when to when records of reads may be missing (D30). It reads the log; the run
 * marker only makes the gaps narrow and finds requests that began long ago. Doing it twice adds nothing.
 */
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { ProxyFact } from '@clustral/schemas/events/proxy.ts';
import { isUuid, type ClusterId } from '@clustral/schemas/ids.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { AuditTrail } from './audit-trail.ts';
import { gapRecord, unknownRecord, type ProxyRecord } from './proxy-records.ts';
import type { RunMark } from './run-marker.ts';

/** Far more than one second of requests, which is how old the marker may be. */
const newestFacts = 20_000;

export type RecoveryOptions = {
  readonly store: Pick<EventStore, 'readBackwards' | 'load'>;
  readonly trail: Pick<AuditTrail, 'write'>;
  readonly epoch: number;
  readonly previous: RunMark | undefined;
  /** When this run began: nothing of it is missing. */
  readonly startedAt: Date;
};

/** Resolves with the number of records written, all durable. Throws `STORE_UNAVAILABLE`. */
export async function recover(options: RecoveryOptions): Promise<number> {
  const { epoch, previous, trail } = options;
  // Every start raises the epoch by one, so a marker of another epoch says nothing of what ran since.
  if (previous?.clean === true && previous.epoch === epoch - 1) return 0;
  const facts = await factsBefore(options);
  if (facts.length === 0 && previous === undefined) return 0;
  const records = [...withoutEnd(facts).map((started) => unknownRecord(started, epoch)), ...gaps(options, facts)];
  await trail.write(records);
  return records.length;
}

type Fact = Recorded<ProxyFact>;
type Started = Fact & { readonly type: 'proxy.request' };

/** What earlier epochs wrote, each fact once: the newest of all, and each day with an open request from its start on. */
async function factsBefore({ store, epoch, previous }: RecoveryOptions): Promise<readonly Fact[]> {
  const newest = await store.readBackwards({ prefixes: ['proxy-'], limit: newestFacts });
  const found = new Map((newest as readonly Fact[]).map((fact) => [fact.position, fact]));
  for (const [stream, revision] of Object.entries(previous?.open ?? {})) {
    const { facts } = await store.load<ProxyFact>(stream, revision);
    for (const fact of facts) found.set(fact.position, fact);
  }
  return [...found.values()].filter(({ metadata }) => metadata.epoch < epoch);
}

function withoutEnd(facts: readonly Fact[]): readonly Started[] {
  const started = new Map<string, Started>();
  const ended = new Set<string>();
  for (const fact of facts) {
    if (fact.type !== 'proxy.request') continue;
    if (fact.data.phase === 'started') started.set(fact.data.requestId, fact as Started);
    else ended.add(fact.data.requestId);
  }
  return [...started.values()].filter(({ data }) => !ended.has(data.requestId));
}

function gaps({ epoch, previous, startedAt }: RecoveryOptions, facts: readonly Fact[]): readonly ProxyRecord[] {
  const from = new Map<ClusterId | null, Date>();
  // Without a marker of the last run: missing can be what came after a cluster's newest record.
  if (previous?.epoch !== epoch - 1) {
    for (const { data, recordedAt } of facts) {
      const before = from.get(data.clusterId);
      if (before === undefined || before < recordedAt) from.set(data.clusterId, recordedAt);
    }
  }
  if (previous !== undefined) {
    const durableUntil = new Date(previous.durableUntil);
    // Refusals of no cluster in particular can be missing as well.
    from.set(null, durableUntil);
    for (const id of previous.clusters) if (isUuid(id)) from.set(id as ClusterId, durableUntil);
  }
  return [...from].map(([clusterId, start]) =>
    gapRecord({ clusterId, from: start, to: startedAt, reason: 'unclean_stop' }, epoch),
  );
}
