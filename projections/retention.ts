/**
 * Drops the audit rows of proxied requests that are older than they are kept (D26), or whose day was deleted from the log, a
 * little at a time between batches of facts, and says from when on the audit is complete. It goes by the day of the stream, so
 * that a log whose old days are scavenged and one whose are not give the same rows.
 */
import { utcDay } from '@clustral/schemas/events/proxy.ts';
import { auditCollection, extentAt, extentCollection, extentId, type AuditExtent } from './audit.ts';
import type { ReadStoreReader, Write } from './read-store.ts';

const dayMs = 86_400_000;
const everyMs = 3_600_000;
const mostPerStep = 500;

export class Retention {
  readonly #keepSeconds: number;
  #nextAt = 0;

  constructor(keepSeconds: number) {
    this.#keepSeconds = keepSeconds;
  }

  /** The writes that are due at `now`: none most of the time, and never many. */
  async due(store: ReadStoreReader, now: Date): Promise<readonly Write[]> {
    if (now.getTime() < this.#nextAt) return [];
    const extent = await store.get(extentCollection, extentId);
    const horizon = horizonOf(now, this.#keepSeconds, extent);
    const rows = await store.find(auditCollection, {
      filter: { day: { $lt: utcDay(new Date(horizon)) } },
      sort: { fields: ['day', '_id'], direction: 'ascending' },
      limit: mostPerStep,
    });
    // When there may be more, the next step is due at once.
    if (rows.length < mostPerStep) this.#nextAt = now.getTime() + everyMs;
    const deletes = rows.map(({ _id }): Write => ({ kind: 'delete', collection: auditCollection, id: _id }));
    return [...deletes, ...extentWrites(extent, horizon)];
  }
}

function extentWrites(extent: AuditExtent | undefined, horizon: number): readonly Write[] {
  if (!extent || extentAt(extent, horizon) === extent) return [];
  return [{ kind: 'put', collection: extentCollection, document: extentAt(extent, horizon) }];
}

/**
 * The instant before which rows of proxied requests are dropped, in milliseconds: a UTC day's beginning. What is known to be
 * deleted from the log is dropped, however long rows are kept.
 */
export function horizonOf(now: Date, keepSeconds: number, extent: AuditExtent | undefined): number {
  const kept = Math.floor((now.getTime() - keepSeconds * 1000) / dayMs) * dayMs;
  return Math.max(kept, extent?.droppedBefore ?? 0);
}
