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

const format = 'clustral policy fold 2';
const entriesPerPiece = 500;
const { newestSeconds: _newestSeconds, ...noLists } = noParts;

/** The snapshot in pieces that belong one after the other. Each is made when it is asked for, in a few milliseconds. */
export function* snapshotBytes({ logId, schema, at, parts }: Omit<Snapshot, 'newestSeconds'>): Generator<Buffer> {
  const { newestSeconds, ...lists } = parts;
  const head = { format, logId, schema, at: { ...at, position: at.position.toString() }, newestSeconds };
  yield Buffer.from(`${JSON.stringify(head)}\n`);
  for (const [name, entries] of Object.entries(lists)) {
    for (const few of inPieces(entries)) {
      const piece = serialize(few);
      // Each by itself, because a copy of every piece makes the garbage collector stop everybody twice as often.
      yield Buffer.from(`${name} ${piece.length}\n`);
      yield piece;
    }
  }
}

function* inPieces(entries: Iterable<unknown>): Generator<readonly unknown[]> {
  let few: unknown[] = [];
  for (const entry of entries) {
    few.push(entry);
    if (few.length < entriesPerPiece) continue;
    yield few;
    few = [];
  }
  if (few.length > 0) yield few;
}

/** What the first line says. Throws a plain `Error` for bytes of anything else. */
export function snapshotHead(bytes: Buffer): SnapshotHead {
  const { text } = lineAt(bytes, 0);
  const head = JSON.parse(text) as Omit<SnapshotHead, 'at'> & { format: string; at: LogPlace & { position: string } };
  if (head.format !== format) throw new Error('its format is another one');
  const { logId, schema, at, newestSeconds } = head;
  return { logId, schema, at: { ...at, position: BigInt(at.position) }, newestSeconds };
}

/**
 * The whole snapshot; of bytes that are complete (whoever read them has checked) and whose schema is this build's. Its lists
 * are read from the bytes each time somebody goes through them, piece by piece, so that a fold is built without a second one
 * beside it. Throws a plain `Error` when the bytes make no sense, and so may going through a list.
 */
export function snapshotFrom(bytes: Buffer): Snapshot {
  const head = snapshotHead(bytes);
  const lists = new Map<string, Buffer[]>(Object.keys(noLists).map((name) => [name, []]));
  for (let { end } = lineAt(bytes, 0); end < bytes.length;) {
    const line = lineAt(bytes, end);
    const [name = '', length] = line.text.split(' ');
    end = line.end + Number(length);
    if (!(end <= bytes.length)) throw new Error('it ends within a piece');
    const list = lists.get(name);
    if (!list) throw new Error(`it has a part '${name}'`);
    list.push(bytes.subarray(line.end, end));
  }
  const read = Array.from(lists, ([name, pieces]) => [name, { [Symbol.iterator]: () => entriesOf(pieces) }] as const);
  // The same build wrote it, as its schema says: the lists hold what `FoldParts` says they do.
  const parts = { ...Object.fromEntries(read), newestSeconds: head.newestSeconds } as unknown as FoldParts;
  return { ...head, parts };
}

function* entriesOf(pieces: readonly Buffer[]): Generator<unknown> {
  for (const piece of pieces) yield* deserialize(piece) as readonly unknown[];
}

function lineAt(bytes: Buffer, from: number): { readonly text: string; readonly end: number } {
  const end = bytes.indexOf('\n', from);
  if (end < 0) throw new Error('it ends within a line');
  return { text: bytes.toString('utf8', from, end), end: end + 1 };
}
