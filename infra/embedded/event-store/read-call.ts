/**
 * Serves `Streams/Read`: finite reads and catch-up subscriptions, of one stream or of everything. Both are a cursor and a
 * page at a time; a subscription that has reached the end waits for the next commit and reads on.
 */
import { randomUUID } from 'node:crypto';
import type { EventLog, ReadableStream } from './event-log.ts';
import type { Outlet } from './outlet.ts';
import type { Place, ReadRequest } from './read-request.ts';
import {
  encodeCaughtUp,
  encodeCheckpoint,
  encodeConfirmation,
  encodeEvent,
  encodeFellBehind,
  encodeStreamNotFound,
} from './read-response.ts';
import type { StoredEvent } from './records.ts';

/** A subscription this far behind the end is told that it fell behind. */
const fellBehindEvents = 1_000;

/** Answers one request to its end, which for a subscription is when the outlet is gone. */
export async function serveRead(log: EventLog, request: ReadRequest, outlet: Outlet): Promise<void> {
  switch (request.kind) {
    case 'stream':
      await readStream(log, request, outlet);
      break;
    case 'all':
      await readAll(log, request, outlet);
      break;
    case 'subscribeToStream':
      await subscribeToStream(log, request, outlet);
      break;
    case 'subscribeToAll':
      await subscribeToAll(log, request, outlet);
      break;
    default:
      request satisfies never;
  }
  outlet.end();
}

type Asked<K extends ReadRequest['kind']> = Extract<ReadRequest, { kind: K }>;

async function readStream(log: EventLog, request: Asked<'stream'>, outlet: Outlet): Promise<void> {
  const stream = log.stream(request.stream);
  if (stream === undefined) return outlet.write(encodeStreamNotFound(request.stream));
  const send = sender(outlet, request.structuredIds);
  const { id, first, last } = stream;
  let left = request.count;
  if (request.direction === 'forwards') {
    let next = Math.max(first, numbered(request.from, { start: 0, end: last + 1 }));
    while (next <= last && left > 0 && !outlet.gone) {
      const page = log.reader.streamForwards(id, { from: next, to: Math.min(last, next + left - 1) });
      await send(page.events);
      left -= page.events.length;
      next = page.next;
    }
    return;
  }
  let next = Math.min(last, numbered(request.from, { start: 0, end: last }));
  while (next >= first && left > 0 && !outlet.gone) {
    const page = log.reader.streamBackwards(id, { from: next, to: Math.max(first, next - left + 1) });
    await send(page.events);
    left -= page.events.length;
    next = page.next;
  }
}

/** Forwards a position is where to begin; backwards it is the first place not to show, as EventStoreDB has it. */
async function readAll(log: EventLog, request: Asked<'all'>, outlet: Outlet): Promise<void> {
  const send = sender(outlet, request.structuredIds);
  const reader = log.reader.all(request.prefixes);
  const head = log.head;
  const place = numbered(request.from, { start: 0, end: head + 1 });
  const forwards = request.direction === 'forwards';
  let next = forwards ? Math.max(1, place) : Math.min(head, place - 1);
  let left = request.count;
  while (next >= 1 && next <= head && left > 0 && !outlet.gone) {
    const page = forwards ? reader.forwards({ from: next, to: head }) : reader.backwards({ from: next, to: 1 });
    await send(page.events.slice(0, left));
    left -= page.events.length;
    next = page.next;
    // A filter that matches nothing sends nothing, so nothing else would let others have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function subscribeToStream(log: EventLog, request: Asked<'subscribeToStream'>, outlet: Outlet): Promise<void> {
  await outlet.write(encodeConfirmation(randomUUID()));
  const send = sender(outlet, request.structuredIds);
  const current = (): ReadableStream => log.stream(request.stream) ?? { id: 0, first: 0, last: -1 };
  let next = numbered(request.after, { start: -1, end: current().last }) + 1;
  const live = new Liveness(outlet);
  while (!outlet.gone) {
    const { id, first, last } = current();
    next = Math.max(next, first);
    if (next > last) {
      await live.reached();
      await outlet.pause((wake) => log.signal.next(wake));
      continue;
    }
    await live.behind(last - next);
    const page = log.reader.streamForwards(id, { from: next, to: last });
    await send(page.events);
    next = page.next;
  }
}

async function subscribeToAll(log: EventLog, request: Asked<'subscribeToAll'>, outlet: Outlet): Promise<void> {
  await outlet.write(encodeConfirmation(randomUUID()));
  const send = sender(outlet, request.structuredIds);
  const reader = log.reader.all(request.prefixes);
  const { checkpointEvery } = request;
  let next = numbered(request.after, { start: 0, end: log.head }) + 1;
  let checkpoint = next - 1;
  const live = new Liveness(outlet);
  while (!outlet.gone) {
    const head = log.head;
    if (next > head) {
      if (!live.now && checkpointEvery !== undefined) {
        checkpoint = next - 1;
        await outlet.write(encodeCheckpoint(checkpoint));
      }
      await live.reached();
      await outlet.pause((wake) => log.signal.next(wake));
      continue;
    }
    await live.behind(head - next);
    const page = reader.forwards({ from: next, to: head });
    await send(page.events);
    next = page.next;
    if (checkpointEvery !== undefined && next - 1 - checkpoint >= checkpointEvery) {
      checkpoint = next - 1;
      await outlet.write(encodeCheckpoint(checkpoint));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Tells a subscriber when it goes live and when it no longer is. */
class Liveness {
  readonly #outlet: Outlet;
  now = false;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  async reached(): Promise<void> {
    if (this.now) return;
    this.now = true;
    await this.#outlet.write(encodeCaughtUp());
  }

  async behind(events: number): Promise<void> {
    if (!this.now || events < fellBehindEvents) return;
    this.now = false;
    await this.#outlet.write(encodeFellBehind());
  }
}

function sender(outlet: Outlet, structuredIds: boolean): (events: readonly StoredEvent[]) => Promise<void> {
  return async (events) => {
    for (const event of events) {
      if (outlet.gone) return;
      await outlet.write(encodeEvent(event, structuredIds));
    }
  };
}

function numbered(place: Place, ends: { start: number; end: number }): number {
  return typeof place === 'number' ? place : ends[place];
}
