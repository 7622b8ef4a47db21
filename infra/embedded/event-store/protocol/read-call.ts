/**
 * Serves `Streams/Read`: finite reads and catch-up subscriptions, of one stream or of everything. Both are a cursor and a
 * page at a time; a subscription that has reached the end waits for the next commit and reads on. A page is sent as one piece,
 * and the next is read when the client has taken it.
 */
import { randomUUID } from 'node:crypto';
import type { GrpcCall } from '../grpc/grpc-call.ts';
import type { EventLog, ReadableStream } from '../event-log.ts';
import { tombstoneRevision, type StoredEvent } from '../records.ts';
import { streamDeleted } from './errors.ts';
import {
  encodeCheckpoint,
  encodeConfirmation,
  encodeEvents,
  encodeFirstRevision,
  encodeLastRevision,
  encodeStreamNotFound,
} from './event-encoding.ts';
import { showEvents } from './links.ts';
import { Liveness } from './liveness.ts';
import type { Form, Place, ReadRequest } from './read-request.ts';

type Asked<K extends ReadRequest['kind']> = Extract<ReadRequest, { kind: K }>;

/** One call that reads, with what it is served from. */
export class Reading {
  readonly #log: EventLog;
  readonly #call: GrpcCall;

  constructor(log: EventLog, call: GrpcCall) {
    this.#log = log;
    this.#call = call;
  }

  /** Answers one request to its end, which for a subscription is when the call is over. Throws `GrpcError`. */
  async serve(request: ReadRequest): Promise<void> {
    switch (request.kind) {
      case 'stream':
        await this.#readStream(request);
        break;
      case 'all':
        await this.#readAll(request);
        break;
      case 'subscribeToStream':
        await this.#subscribeToStream(request);
        break;
      case 'subscribeToAll':
        await this.#subscribeToAll(request);
        break;
      default:
        request satisfies never;
    }
    this.#call.finish();
  }

  /** False once nothing more may be read: the client has left, or the files are about to be closed. */
  get #goesOn(): boolean {
    return !this.#call.over && !this.#log.closing;
  }

  async #readStream(request: Asked<'stream'>): Promise<void> {
    const found = this.#stream(request.stream);
    if (found.kind === 'absent') return this.#send(encodeStreamNotFound(request.stream));
    if (request.direction === 'forwards') await this.#readStreamForwards(request, found);
    else await this.#readStreamBackwards(request, found);
    if (request.wantsStreamEnds) await this.#send(encodeLastRevision(found.last));
  }

  async #readStreamForwards(request: Asked<'stream'>, { first, last }: Readable): Promise<void> {
    const from = numbered(request.from, { start: 0, end: last + 1 });
    let next = Math.max(first, from);
    let left = request.count;
    if (request.wantsStreamEnds && next > last && from < first) await this.#send(encodeFirstRevision(first));
    while (left > 0 && this.#goesOn) {
      // Asked again for each page: what was readable may have been deleted or scavenged since.
      const stream = this.#stream(request.stream);
      if (stream.kind === 'absent') return;
      next = Math.max(next, stream.first);
      if (next > Math.min(last, stream.last)) return;
      const to = Math.min(last, stream.last, next + left - 1);
      const page = this.#log.reader.streamForwards(stream.id, { from: next, to });
      const events = youngEnough(page.events, stream);
      await this.#show(events, request);
      left -= events.length;
      next = page.events.length > 0 ? page.next : Math.max(page.next, this.#log.reader.oldestOf(stream.id));
    }
  }

  async #readStreamBackwards(request: Asked<'stream'>, { last }: Readable): Promise<void> {
    let next = Math.min(last, numbered(request.from, { start: 0, end: last }));
    let left = request.count;
    while (left > 0 && this.#goesOn) {
      const stream = this.#stream(request.stream);
      if (stream.kind === 'absent' || next < stream.first) return;
      const to = Math.max(stream.first, next - left + 1);
      const page = this.#log.reader.streamBackwards(stream.id, { from: Math.min(next, stream.last), to });
      const events = youngEnough(page.events, stream);
      await this.#show(events, request);
      left -= events.length;
      next = page.next;
    }
  }

  /** Forwards a position is where to begin; backwards it is the first place not to show, as EventStoreDB has it. */
  async #readAll(request: Asked<'all'>): Promise<void> {
    const { head } = this.#log;
    const forwards = request.direction === 'forwards';
    const place = numbered(request.from, { start: 0, end: head + 1 });
    const to = forwards ? head : 1;
    let next = forwards ? Math.max(1, place) : Math.min(head, place - 1);
    let left = request.count;
    while (next >= 1 && next <= head && left > 0 && this.#goesOn) {
      const range = { from: next, to, backwards: !forwards };
      const { reader } = this.#log;
      const page = request.filter === undefined ? reader.all(range) : reader.filtered(request.filter, range, Infinity);
      const events = page.events.slice(0, left);
      await this.#show(events, request);
      left -= events.length;
      next = page.next;
    }
  }

  async #subscribeToStream(request: Asked<'subscribeToStream'>): Promise<void> {
    const begin = this.#stream(request.stream);
    await this.#send(encodeConfirmation(randomUUID()));
    const live = new Liveness(this.#call);
    let next = numbered(request.after, { start: -1, end: begin.kind === 'absent' ? -1 : begin.last }) + 1;
    while (this.#goesOn) {
      const stream = this.#streamOrTombstone(request.stream);
      if (stream.kind === 'tombstoned') {
        await this.#show(this.#tombstoneOf(request.stream), request);
        throw streamDeleted(request.stream);
      }
      if (stream.kind === 'readable') next = Math.max(next, stream.first);
      if (stream.kind === 'absent' || next > stream.last) {
        await live.reached();
        await this.#nextCommit();
        continue;
      }
      await live.behind(stream.last - next);
      const page = this.#log.reader.streamForwards(stream.id, { from: next, to: stream.last });
      await this.#show(youngEnough(page.events, stream), request);
      next = page.next;
    }
  }

  async #subscribeToAll(request: Asked<'subscribeToAll'>): Promise<void> {
    const { filter, checkpointEvery = Infinity } = request;
    await this.#send(encodeConfirmation(randomUUID()));
    const live = new Liveness(this.#call);
    let next = numbered(request.after, { start: 0, end: this.#log.head }) + 1;
    let checkpoint = next - 1;
    let considered = 0;
    while (this.#goesOn) {
      const { head, reader } = this.#log;
      if (next > head) {
        // Once when going live, so that a client that resumes does not look at the same events again.
        if (!live.now && filter !== undefined && next - 1 > checkpoint) await this.#checkpoint((checkpoint = next - 1));
        await live.reached();
        await this.#nextCommit();
        continue;
      }
      await live.behind(head - next);
      const range = { from: next, to: head };
      const page =
        filter === undefined
          ? { ...reader.all(range), considered: 0 }
          : reader.filtered(filter, range, checkpointEvery - considered);
      await this.#show(page.events, request);
      next = page.next;
      considered += page.considered;
      if (considered >= checkpointEvery) {
        considered = 0;
        await this.#checkpoint((checkpoint = next - 1));
      }
    }
  }

  #checkpoint(position: number): Promise<void> {
    return this.#send(encodeCheckpoint(position));
  }

  /** Throws when it was ended for good. */
  #stream(name: string): Exclude<ReadableStream, { kind: 'tombstoned' }> {
    const stream = this.#streamOrTombstone(name);
    if (stream.kind === 'tombstoned') throw streamDeleted(name);
    return stream;
  }

  #streamOrTombstone(name: string): ReadableStream {
    return this.#log.stream(name);
  }

  #tombstoneOf(name: string): readonly StoredEvent[] {
    const event = this.#log.event(name, tombstoneRevision);
    return event === undefined ? [] : [event];
  }

  async #nextCommit(): Promise<void> {
    const unsubscribe = this.#log.signal.next(() => this.#call.wakeUp());
    await this.#call.writable();
    unsubscribe();
  }

  async #show(events: readonly StoredEvent[], form: Form): Promise<void> {
    if (this.#call.over) return;
    // What shows nothing sends nothing, so nothing else would let others have their turn.
    if (events.length === 0) return aTurnOfOthers();
    this.#log.metrics.counts.eventsRead += events.length;
    const shown = form.resolveLinks ? showEvents(this.#log, events) : events.map((event) => ({ event }));
    if (!this.#call.sendFramed(encodeEvents(shown, form.structuredIds))) await this.#call.writable();
  }

  async #send(message: Buffer): Promise<void> {
    if (!this.#call.send(message)) await this.#call.writable();
  }
}

type Readable = Extract<ReadableStream, { kind: 'readable' }>;

function youngEnough(events: readonly StoredEvent[], { since }: Readable): readonly StoredEvent[] {
  return since === -Infinity ? events : events.filter(({ createdAt }) => createdAt >= since);
}

function aTurnOfOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function numbered(place: Place, ends: { start: number; end: number }): number {
  return typeof place === 'number' ? place : ends[place];
}
