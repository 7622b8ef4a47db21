/**
 * The writes of a commit as MongoDB takes them: each document replaced as a whole, guarded by the position that it was
 * written at, so that doing it twice is doing it once and a second writer is noticed instead of overwritten.
 */
import { Long, MongoServerError, type AnyBulkWriteOperation, type ClientSession } from 'mongodb';
import type { Commit } from '../read-store.ts';
import { revisionField, stored } from './documents.ts';
import type { MongoQueries, Named } from './queries.ts';

/** A write by the names that MongoDB knows; `document` is null for a deletion. */
export type Prepared = { readonly collection: string; readonly id: string; readonly document: object | null };

/** Throws when a document cannot be stored. */
export function prepared({ writes, position }: Commit): readonly Prepared[] {
  return writes.map((write) => {
    const collection = write.collection.name;
    if (write.kind === 'delete') return { collection, id: write.id, document: null };
    return { collection, id: write.document._id, document: stored(write.collection, write.document, position) };
  });
}

export type Application = {
  readonly projection: string;
  readonly position: bigint;
  readonly writes: readonly Prepared[];
  /** The newest position that a document may have: anything newer was written by somebody else. */
  readonly newest: bigint;
};

/** Writes the documents, then the checkpoint. */
export async function applyWrites(
  queries: MongoQueries,
  { projection, position, writes, newest }: Application,
  session?: ClientSession,
): Promise<void> {
  const options = session === undefined ? {} : { session };
  for (const [name, operations] of byCollection(writes, newest)) {
    await queries
      .collection(name)
      .bulkWrite(operations, { ...options, ordered: true })
      .catch(orSecondWriter);
  }
  const checkpoint = { position: Long.fromBigInt(position) };
  await queries.checkpoints().replaceOne({ _id: projection }, checkpoint, { ...options, upsert: true });
}

/** Rethrows; the refusal of a guarded write, or of a journal that is taken, in words. */
export function orSecondWriter(cause: unknown): never {
  const isTaken = cause instanceof MongoServerError && cause.code === 11_000;
  throw isTaken ? new Error('another process writes the read models too', { cause }) : cause;
}

type Operation = AnyBulkWriteOperation<Named>;

function byCollection(writes: readonly Prepared[], newest: bigint): ReadonlyMap<string, Operation[]> {
  const operations = new Map<string, Operation[]>();
  for (const { collection, id, document } of writes) {
    const filter = { _id: id, [revisionField]: { $lte: Number(newest) } };
    const operation: Operation =
      document === null
        ? { deleteOne: { filter } }
        : { replaceOne: { filter, replacement: withoutId(document), upsert: true } };
    const known = operations.get(collection);
    if (known) known.push(operation);
    else operations.set(collection, [operation]);
  }
  return operations;
}

function withoutId(document: object): object {
  const { _id: _known, ...fields } = document as Named;
  return fields;
}
