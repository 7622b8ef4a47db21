/**
 * What one change does to the tables, inside a transaction that somebody else begins and ends: the check against the stream,
 * the rows, and the metadata events that EventStoreDB writes by itself when a deleted stream comes back. It also takes rows
 * out when they are scavenged, and leaves a gap that the chain can be followed over.
 *
 * Rule: after a rollback call `rolledBack`, after a commit `committed`.
 */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChainCursor } from './chain-check.ts';
import { checkCommit, type RememberedId } from './commit-check.ts';
import { GenerationCache } from './generation-cache.ts';
import { contentDigest, rowHash, rowSum } from './hash-chain.ts';
import { tombstoneRevision, type Expected, type Outcome, type ProposedEvent, type StoredEvent } from './records.ts';
import type { StreamIndex, StreamState } from './stream-index.ts';
import { describedStream, metastreamOf, softDeletion, undeletion } from './stream-metadata.ts';

const idsPerGeneration = 25_000;
const empty = Buffer.alloc(0);

/** What somebody wants to be written. */
export type Change = { readonly stream: string; readonly expected: Expected } & (
  | { readonly kind: 'append'; readonly events: readonly ProposedEvent[] }
  /** Hides all events; the stream comes back with the next append. */
  | { readonly kind: 'delete' }
  /** Ends the stream for good. */
  | { readonly kind: 'tombstone' }
);

export type LedgerOptions = {
  readonly database: DatabaseSync;
  readonly streams: StreamIndex;
  /** Where the log ends: the last position (0 when empty) and the hash there. */
  readonly end: ChainCursor;
  /** The newest events, whose ids are remembered. */
  readonly newest: readonly StoredEvent[];
  readonly now: () => number;
};

export class Ledger {
  readonly #streams: StreamIndex;
  readonly #now: () => number;
  readonly #insert: StatementSync;
  readonly #idsAfter: StatementSync;
  readonly #remembered = new GenerationCache<string, RememberedId>(idsPerGeneration);
  #committedEnd: ChainCursor;
  /** Runs ahead of `#committedEnd` inside a transaction only. */
  #end: ChainCursor;
  #written: Pick<StoredEvent, 'stream' | 'id' | 'revision' | 'position'>[] = [];

  constructor({ database, streams, end, newest, now }: LedgerOptions) {
    this.#streams = streams;
    this.#now = now;
    this.#end = end;
    this.#committedEnd = end;
    this.#insert = database.prepare(
      'INSERT INTO events (pos, stream, rev, type, json, created, sum, id, hash, meta, data) VALUES (?,?,?,?,?,?,?,?,?,?,?)',
    );
    this.#idsAfter = database.prepare('SELECT id, pos FROM events WHERE stream = ? AND rev > ? ORDER BY rev LIMIT ?');
    for (const event of newest) this.#remember(event);
  }

  /** What is on disk. */
  get end(): ChainCursor {
    return this.#committedEnd;
  }

  /** How many events the open transaction has written. */
  get written(): number {
    return this.#written.length;
  }

  apply(change: Change): Outcome {
    const state = this.#streams.state(change.stream);
    const ids = change.kind === 'append' ? change.events.map(({ id }) => id) : [];
    const verdict = checkCommit({ expected: change.expected, ids }, factsOf(state), {
      after: (revision, count) => this.#storedAfter(state, revision, count),
      remembered: (id) => this.#remembered.get(keyOf(state.name, id)),
    });
    if (verdict.kind !== 'write') return verdict;
    if (change.kind === 'delete') return this.#delete(state);
    if (change.kind === 'tombstone') return this.#tombstone(state);
    return this.#append(state, change.events);
  }

  committed(): void {
    this.#committedEnd = this.#end;
    for (const event of this.#written) this.#remember(event);
    this.#written = [];
  }

  rolledBack(): void {
    this.#end = this.#committedEnd;
    this.#written = [];
    this.#streams.forget();
  }

  #append(state: StreamState, events: readonly ProposedEvent[]): Outcome {
    if (events.length === 0) return { kind: 'done', revision: state.last, position: this.#end.position };
    const wasDeleted = state.metadata.softDeleted === true;
    const recreateFrom = state.last + 1;
    for (const event of events) this.#write(state, event);
    const done: Outcome = { kind: 'done', revision: state.last, position: this.#end.position };
    if (wasDeleted) this.#undelete(state, recreateFrom);
    const described = describedStream(state.name);
    if (described !== undefined) this.#redescribe(this.#streams.state(described), events.at(-1));
    return done;
  }

  /** Metadata given to a deleted stream brings it back, too. */
  #redescribe(described: StreamState, newest: ProposedEvent | undefined): void {
    if (newest === undefined) return;
    const wasDeleted = described.metadata.softDeleted === true;
    this.#streams.describe(described, newest.data, newest.json);
    if (wasDeleted) this.#undelete(described, described.last + 1);
  }

  #undelete(state: StreamState, recreateFrom: number): void {
    const data = undeletion(state.rawMetadata ?? empty, recreateFrom);
    if (data === undefined) return;
    this.#write(this.#streams.state(metastreamOf(state.name)), systemEvent('$metadata', data));
    this.#streams.describe(state, data, true);
  }

  #delete(state: StreamState): Outcome {
    if (state.last < 0 && state.rawMetadata === undefined) return { kind: 'wrongRevision', current: -1 };
    this.#write(this.#streams.state(metastreamOf(state.name)), systemEvent('$metadata', softDeletion));
    this.#streams.describe(state, softDeletion, true);
    return { kind: 'done', revision: state.last, position: this.#end.position };
  }

  #tombstone(state: StreamState): Outcome {
    this.#insertAt(state, tombstoneRevision, systemEvent('$streamDeleted', empty, false));
    this.#streams.tombstone(state);
    return { kind: 'done', revision: state.last, position: this.#end.position };
  }

  #write(state: StreamState, event: ProposedEvent): void {
    this.#insertAt(state, state.last + 1, event);
    state.last += 1;
  }

  #insertAt(state: StreamState, revision: number, proposed: ProposedEvent): void {
    const position = this.#end.position + 1;
    const { id, type, json, data, metadata } = proposed;
    const place = { position, stream: state.name, revision, createdAt: this.#now() };
    const event: StoredEvent = { ...place, id, type, json, data, metadata };
    const hash = rowHash(this.#end.hash, event, proposed.digest);
    const numbers = [position, this.#streams.idOf(state), revision, this.#streams.typeId(type), json ? 1 : 0] as const;
    this.#insert.run(...numbers, event.createdAt, rowSum(event), id, hash, metadata, data);
    this.#end = { position, hash };
    this.#written.push({ stream: state.name, id, revision, position });
  }

  #storedAfter({ id }: StreamState, revision: number, count: number): { id: Uint8Array; position: number }[] {
    if (id === undefined) return [];
    return this.#idsAfter
      .all(id, revision, count)
      .map((row) => ({ id: row['id'] as Uint8Array, position: row['pos'] as number }));
  }

  #remember({ stream, id, revision, position }: Pick<StoredEvent, 'stream' | 'id' | 'revision' | 'position'>): void {
    this.#remembered.set(keyOf(stream, id), { revision, position });
  }
}

function factsOf({ last, tombstoned, metadata, rawMetadata }: StreamState) {
  return { last, tombstoned, softDeleted: metadata.softDeleted === true, described: rawMetadata !== undefined };
}

function keyOf(stream: string, id: Buffer): string {
  return id.toString('latin1') + stream;
}

function systemEvent(type: string, data: Buffer, json = true): ProposedEvent {
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  const content = { id, type, json, data, metadata: empty };
  return { ...content, digest: contentDigest(content) };
}
