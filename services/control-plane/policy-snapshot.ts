/**
 * A snapshot of the policy fold as bytes (D25): a line of JSON that says of which log, which place in it and which build it
 * is, then the parts of the fold in pieces, small enough that writing one never holds up the event loop. The pieces are
 * V8's own serialisation, which keeps instants, big integers and odd keys exactly, so that nobody has to list which
 * field is which. It does no I/O. The rule it lives by: what is not exactly as it was written is not used.
 */
import { deserialize, serialize } from 'node:v8';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { noParts, type FoldParts } from './fold-parts.ts';

/** A fact by its place in the log, and the id by which it is known that it is the same log. */
export type LogPlace = Pick<Recorded, 'stream' | 'revision' | 'position' | 'id'>;

/** What must be as it is now for a snapshot to be used. */
export type SnapshotHead = {
  /** Names the log. */
  readonly logId: string;
  /** Names the build: how facts are read, what they do, how the parts look. */
  readonly schema: string;
  /** The last fact that the fold had taken. */
  readonly at: LogPlace;
  /** The latest wall clock, in seconds, by which the fold had forgotten anything. */
  readonly newestSeconds: number;
};

export type Snapshot = SnapshotHead & { readonly parts: FoldParts };

type ListName = Exclude<keyof FoldParts, 'newestSeconds'>;

const format = 'clustral policy fold 1';
const entriesPerPiece = 500;
const lengthBytes = 4;
const { newestSeconds: _newestSeconds, ...noLists } = noParts;

/** The snapshot in pieces that belong one after the other. Each is made when it is asked for, in a few milliseconds. */
export function* snapshotBytes({ logId, schema, at, parts }: Omit<Snapshot, 'newestSeconds'>): Generator<Buffer> {
  const { newestSeconds, ...lists } = parts;
  const head = { format, logId, schema, at: { ...at, position: at.position.toString() }, newestSeconds };
  yield Buffer.from(`${JSON.stringify(head)}\n`);
  for (const [name, entries] of Object.entries(lists)) {
    for (let from = 0; from < entries.length; from += entriesPerPiece) {
      const piece = serialize([name, entries.slice(from, from + entriesPerPiece)]);
      // Each by itself, because a copy of every piece makes the garbage collector stop everybody twice as often.
      yield lengthOf(piece);
      yield piece;
    }
  }
}

function lengthOf(piece: Buffer): Buffer {
  const length = Buffer.allocUnsafe(lengthBytes);
  length.writeUInt32BE(piece.length);
  return length;
}

/** What the first line says. Throws a plain `Error` for bytes of anything else. */
export function snapshotHead(bytes: Buffer): SnapshotHead {
  const line = bytes.subarray(0, headBytes(bytes)).toString();
  const head = JSON.parse(line) as Omit<SnapshotHead, 'at'> & { format: string; at: LogPlace & { position: string } };
  if (head.format !== format) throw new Error('its format is another one');
  const { logId, schema, at, newestSeconds } = head;
  return { logId, schema, at: { ...at, position: BigInt(at.position) }, newestSeconds };
}

/**
 * The whole snapshot; of bytes that are complete (whoever read them has checked) and whose schema is this build's.
 * Throws a plain `Error` when they make no sense.
 */
export function snapshotFrom(bytes: Buffer): Snapshot {
  const head = snapshotHead(bytes);
  const lists = new Map<string, unknown[]>(Object.keys(noLists).map((name) => [name, []]));
  for (let from = headBytes(bytes); from < bytes.length;) {
    const to = from + lengthBytes + bytes.readUInt32BE(from);
    if (to > bytes.length) throw new Error('it ends within a piece');
    const [name, entries] = deserialize(bytes.subarray(from + lengthBytes, to)) as [ListName, readonly unknown[]];
    const list = lists.get(name);
    if (!list) throw new Error(`it has a part '${name}'`);
    for (const entry of entries) list.push(entry);
    from = to;
  }
  // The same build wrote it, as its schema says: the lists hold what `FoldParts` says they do.
  const parts = { ...Object.fromEntries(lists), newestSeconds: head.newestSeconds } as unknown as FoldParts;
  return { ...head, parts };
}

function headBytes(bytes: Buffer): number {
  const end = bytes.indexOf('\n');
  if (end < 0) throw new Error('it has no first line');
  return end + 1;
}
