/**
 * Optimistic concurrency: may this change be written on top of what the stream holds? It also recognises a retry. An append
 * that names an older revision is not wrong if exactly its events follow that revision: then the first answer was lost, and it
 * gets that answer again. No index of ids is needed for that, only the stream itself; an append that names no revision is
 * recognised as long as its ids are among those remembered.
 *
 * The rules are EventStoreDB's: a client must not be able to tell the difference.
 */
import type { Expected, Outcome } from './records.ts';

export type StoredId = { readonly id: Uint8Array; readonly position: number };
export type RememberedId = { readonly revision: number; readonly position: number };

export type LookUps = {
  /** Ids and positions of at most `count` events of the stream after a revision, oldest first. */
  readonly after: (revision: number, count: number) => readonly StoredId[];
  /** Where the stream holds an event with this id, as far as that is remembered. */
  readonly remembered: (id: Buffer) => RememberedId | undefined;
};

export type StreamFacts = {
  readonly last: number;
  readonly tombstoned: boolean;
  readonly softDeleted: boolean;
  /** It was given metadata, whether or not it has events. */
  readonly described: boolean;
};

type Change = { readonly expected: Expected; readonly ids: readonly Buffer[] };

/** `write`: go on. Anything else is the answer. */
export function checkCommit(
  change: Change,
  stream: StreamFacts,
  lookUps: LookUps,
): { readonly kind: 'write' } | Outcome {
  const { expected, ids } = change;
  const { last } = stream;
  if (stream.tombstoned) return { kind: 'tombstoned' };
  switch (expected.kind) {
    case 'any':
      return rememberedRetry(ids, last, lookUps.remembered) ?? { kind: 'write' };
    case 'exists':
      if (stream.softDeleted) return { kind: 'tombstoned' };
      return last >= 0 || stream.described ? { kind: 'write' } : { kind: 'wrongRevision', current: last };
    case 'exactly': {
      if (expected.revision === last) return { kind: 'write' };
      const retry = retryAfter(ids, expected.revision, lookUps.after);
      if (retry !== undefined) return retry;
      // A deleted stream counts as one that is not there, and is continued where it ended.
      if (expected.revision === -1 && stream.softDeleted) return { kind: 'write' };
      return { kind: 'wrongRevision', current: last };
    }
    default:
      return expected satisfies never;
  }
}

function retryAfter(ids: readonly Buffer[], revision: number, after: LookUps['after']): Outcome | undefined {
  if (ids.length === 0) return undefined;
  const stored = after(revision, ids.length);
  const newest = stored.at(-1);
  if (newest === undefined || stored.length < ids.length) return undefined;
  const equal = ids.every((id, index) => id.equals(stored[index]?.id ?? new Uint8Array()));
  return equal ? { kind: 'done', revision: revision + ids.length, position: newest.position } : undefined;
}

function rememberedRetry(ids: readonly Buffer[], last: number, remembered: LookUps['remembered']): Outcome | undefined {
  const [first, ...others] = ids;
  let newest = first === undefined ? undefined : remembered(first);
  if (newest === undefined) return undefined;
  for (const id of others) {
    const next = remembered(id);
    // A part of it is here and a part is not: it is no retry, and nobody knows what it is.
    if (next === undefined) return { kind: 'wrongRevision', current: last };
    newest = next;
  }
  return { kind: 'done', revision: newest.revision, position: newest.position };
}
