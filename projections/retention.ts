/**
 * Drops the audit rows of proxied requests that are older than they are kept (D26), a little at a time between batches of
 * facts, and says from when on the audit is complete. It goes by the day of the stream, so that a log whose old days are
 * scavenged and one whose are not give the same rows.
 */
import { utcDay } from '@clustral/schemas/events/proxy.ts';
import { auditCollection, extentCollection, extentId, type AuditExtent } from './audit.ts';
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
    const horizon = horizonOf(now, this.#keepSeconds);
    const rows = await store.find(auditCollection, {
      filter: { day: { $lt: utcDay(new Date(horizon)) } },
      sort: { fields: ['day', '_id'], direction: 'ascending' },
      limit: mostPerStep,
    });
    // When there may be more, the next step is due at once.
    if (rows.length < mostPerStep) this.#nextAt = now.getTime() + everyMs;
    const deletes = rows.map(({ _id }): Write => ({ kind: 'delete', collection: auditCollection, id: _id }));
    return [...deletes, ...(await extentWrites(store, horizon))];
  }
}

async function extentWrites(store: ReadStoreReader, horizon: number): Promise<readonly Write[]> {
  const extent = await store.get(extentCollection, extentId);
  if (!extent || extentAt(extent, horizon) === extent) return [];
  return [{ kind: 'put', collection: extentCollection, document: extentAt(extent, horizon) }];
}

/** The instant before which rows of proxied requests are dropped, in milliseconds: a UTC day's beginning. */
export const horizonOf = (now: Date, keepSeconds: number): number =>
  Math.floor((now.getTime() - keepSeconds * 1000) / dayMs) * dayMs;

/** What the extent says once everything from before the horizon was dropped. */
export function extentAt(extent: AuditExtent, horizon: number): AuditExtent {
  if (extent.firstAt >= horizon || (extent.droppedBefore ?? 0) >= horizon) return extent;
  return { ...extent, droppedBefore: horizon };
}
