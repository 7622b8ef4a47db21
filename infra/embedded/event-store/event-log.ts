/**
 * The log as the protocol handlers see it: append, look up a stream, read pages, wait for the next commit. It wires the
 * database, the writer and the readers, and checks the whole hash chain in the background, a slice at a time.
 */
import { CommitSignal } from './commit-signal.ts';
import { openDatabase, type OpenedDatabase } from './database.ts';
import { checkChain, type ChainCursor } from './hash-chain.ts';
import { Reader } from './reader.ts';
import type { Note } from './records.ts';
import { StreamIndex } from './stream-index.ts';
import { firstReadable } from './stream-metadata.ts';
import { Writer, type Append } from './writer.ts';

const rowsPerCheck = 100;
const checkEveryMs = 50;

export type EventLogOptions = {
  readonly folder: string;
  readonly note: (note: Note) => void;
  /** The process must end now: the disk is in doubt, or the log is not what was written. */
  readonly fatal: (error: Error) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
};

/** What is readable of a stream: revisions `first` to `last`. A stream with metadata only does not exist yet. */
export type ReadableStream = { readonly id: number; readonly first: number; readonly last: number };

/** Opens the folder; see `openDatabase` for what it throws. */
export function openEventLog(options: EventLogOptions): EventLog {
  return new EventLog(openDatabase(options.folder, options.note), options);
}

export class EventLog {
  readonly reader: Reader;
  readonly signal = new CommitSignal();
  readonly #opened: OpenedDatabase;
  readonly #streams: StreamIndex;
  readonly #writer: Writer;
  readonly #fatal: (error: Error) => void;
  #closing = false;
  #check: NodeJS.Timeout | undefined;

  constructor(opened: OpenedDatabase, { now, fatal }: EventLogOptions) {
    const { database, origin } = opened;
    this.#opened = opened;
    this.#fatal = fatal;
    this.#streams = new StreamIndex(database);
    this.reader = new Reader(database);
    const end = database.prepare('SELECT pos, hash FROM events ORDER BY pos DESC LIMIT 1').get();
    this.#writer = new Writer({
      database,
      streams: this.#streams,
      end: end ? { position: end['pos'] as number, hash: end['hash'] as Uint8Array } : { position: 0, hash: origin },
      now,
      committed: () => this.signal.committed(),
      fatal,
    });
    this.#scheduleCheck({ position: 0, hash: origin });
  }

  /** The last position; 0 for an empty log. */
  get head(): number {
    return this.#writer.head;
  }

  /** True from the call of `close` on: read nothing more. */
  get closing(): boolean {
    return this.#closing;
  }

  append(append: Append): void {
    if (this.#closing) append.settle({ kind: 'unavailable', reason: 'the event store is stopping' });
    else this.#writer.enqueue(append);
  }

  stream(name: string): ReadableStream | undefined {
    const entry = this.#streams.find(name);
    if (entry === undefined || entry.last === -1) return undefined;
    return { id: entry.id, first: firstReadable(entry.last, entry.metadata), last: entry.last };
  }

  /** Answers what is queued and closes the files. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#check);
    await this.#writer.idle();
    this.#opened.close();
  }

  #scheduleCheck(from: ChainCursor): void {
    this.#check = setTimeout(() => {
      try {
        const next = checkChain(this.#opened.database, from, rowsPerCheck);
        if (next !== undefined) this.#scheduleCheck(next);
      } catch (error) {
        this.#fatal(error instanceof Error ? error : new Error(String(error)));
      }
    }, checkEveryMs);
    this.#check.unref();
  }
}
