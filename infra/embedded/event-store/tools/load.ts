/**
 * Appends the lines of a dump to any server that the official client reaches, each event at the revision that it had, with its
 * id. It can be repeated: what is there already, from an earlier run that broke off, is recognised and left alone. It refuses
 * a server whose streams hold something else.
 *
 * A stream that was scavenged begins with a later revision, and no server lets anybody begin there. Its beginning is filled
 * with empty events of the type `scavenged`, which the stream's own metadata hides again. Streams whose names begin with one
 * `$` are a server's own (its users, its statistics) and stay where they are.
 */
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { tombstoneRevision } from '../records.ts';
import { describedStream } from '../stream-metadata.ts';
import { fromLine, type DumpedEvent } from './dump-line.ts';
import { RawClient } from './raw-client.ts';

const eventsPerAppend = 500;
const bytesPerAppend = 500_000;
const fillerType = 'scavenged';

/** Resolves with a sentence that says how much was loaded. */
export async function load(connectionString: string, lines: Readable): Promise<string> {
  const client = new RawClient(connectionString);
  try {
    const loading = new Loading(client);
    let number = 0;
    let skipped = 0;
    for await (const line of createInterface({ input: lines, crlfDelay: Infinity })) {
      number += 1;
      if (line.trim() === '') continue;
      const event = fromLine(line, number);
      if (isOfServer(event.stream)) skipped += 1;
      else await loading.take(event);
    }
    await loading.finish();
    return `loaded ${number - skipped} events, left out ${skipped} of the server's own streams`;
  } finally {
    await client.close();
  }
}

class Loading {
  readonly #client: RawClient;
  /** Neighbours of one stream that go together. */
  #waiting: DumpedEvent[] = [];
  #bytes = 0;
  /** Streams of which something was loaded: their next revision follows without a hole. */
  readonly #begun = new Set<string>();
  /** Streams that the server has ended for good already; the dump must come to that, too. */
  readonly #tombstoned = new Set<string>();

  constructor(client: RawClient) {
    this.#client = client;
  }

  async take(event: DumpedEvent): Promise<void> {
    const last = this.#waiting.at(-1);
    const follows = last !== undefined && last.stream === event.stream && last.revision + 1 === event.revision;
    const isFull = this.#waiting.length >= eventsPerAppend || this.#bytes + sizeOf(event) > bytesPerAppend;
    if (!follows || isFull) await this.flush();
    if (event.revision === tombstoneRevision) {
      await this.#client.tombstone(event.stream);
      this.#tombstoned.delete(event.stream);
      return;
    }
    if (!this.#begun.has(event.stream)) await this.#fill(event);
    this.#begun.add(event.stream);
    this.#waiting.push(event);
    this.#bytes += sizeOf(event);
  }

  /** Throws when the server has ended a stream that the dump goes on with. */
  async finish(): Promise<void> {
    await this.flush();
    const [stream] = this.#tombstoned;
    if (stream === undefined) return;
    throw new Error(
      `Stream ${stream} was ended for good on the server, and in the dump it was not: load into an empty server.`,
    );
  }

  async flush(): Promise<void> {
    const events = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (events.length > 0) await this.#append(events);
  }

  async #fill({ stream, revision }: DumpedEvent): Promise<void> {
    for (let from = 0; from < revision; from += eventsPerAppend) {
      const count = Math.min(eventsPerAppend, revision - from);
      await this.#append(Array.from({ length: count }, (_, index) => fillerOf(stream, from + index)));
    }
  }

  /** All of one stream, in order and without a hole. */
  async #append(events: readonly DumpedEvent[]): Promise<void> {
    const [first] = events;
    if (first === undefined) return;
    const { stream, revision } = first;
    const appended = await this.#client.append(stream, revision - 1, events);
    if (appended === 'written') return;
    if (appended === 'tombstoned') {
      this.#tombstoned.add(describedStream(stream) ?? stream);
      return;
    }
    if (appended.current < revision) {
      throw new Error(
        `Stream ${stream} ends with revision ${appended.current}, and revision ${revision} is next: events are missing.`,
      );
    }
    // The server has written something by itself, as it does when a deleted stream comes back, or somebody else has.
    const there = await this.#client.event(stream, revision);
    if (there === undefined || !isSame(there, first)) {
      throw new Error(
        `Stream ${stream} holds another event at revision ${revision} than the dump: load into an empty server.`,
      );
    }
    await this.#append(events.slice(1));
  }
}

function isOfServer(stream: string): boolean {
  return (describedStream(stream) ?? stream).startsWith('$');
}

/** Events that a server writes by itself have an id of their own. */
function isSame(one: DumpedEvent, other: DumpedEvent): boolean {
  if (one.type !== other.type || one.json !== other.json) return false;
  if (one.data.equals(other.data)) return true;
  return one.json && isDeepStrictEqual(JSON.parse(one.data.toString()), JSON.parse(other.data.toString()));
}

function fillerOf(stream: string, revision: number): DumpedEvent {
  const id = createHash('sha256').update(`${stream}\n${revision}`).digest().subarray(0, 16);
  // A valid UUID, and the same again in a second run.
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return { stream, revision, id, type: fillerType, json: false, data: Buffer.alloc(0), metadata: Buffer.alloc(0) };
}

function sizeOf({ data, metadata, type }: DumpedEvent): number {
  return data.byteLength + metadata.byteLength + 2 * type.length;
}
