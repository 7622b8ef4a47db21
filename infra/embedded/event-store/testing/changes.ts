/** Appends, straight to a log or a writer, for the tests of the storage. */
import type { EventLog } from '../event-log.ts';
import { contentDigest } from '../hash-chain.ts';
import type { Change } from '../ledger.ts';
import type { Expected, Outcome, ProposedEvent } from '../records.ts';
import type { QueuedChange } from '../writer.ts';

export type Wanted = {
  readonly expected?: number;
  readonly data?: readonly (string | Buffer)[];
  readonly type?: string;
};

export function eventOf(data: string | Buffer, type = 'test.happened'): ProposedEvent {
  const content = {
    id: Buffer.from(crypto.getRandomValues(new Uint8Array(16))),
    type,
    json: typeof data === 'string',
    data: Buffer.from(data as string),
    metadata: Buffer.alloc(0),
  };
  return { ...content, digest: contentDigest(content) };
}

export function appendOf(stream: string, { expected, data = ['{}'], type }: Wanted = {}): Change {
  const wanted: Expected = expected === undefined ? { kind: 'any' } : { kind: 'exactly', revision: expected };
  return { kind: 'append', stream, expected: wanted, events: data.map((one) => eventOf(one, type)) };
}

/** Queues a change of which somebody waits for the outcome. */
export function changed(queue: (queued: QueuedChange) => void, change: Change): Promise<Outcome> {
  const bytes = change.kind === 'append' ? change.events.reduce((sum, { data }) => sum + data.byteLength, 0) : 1;
  return new Promise((settle) => queue({ change, bytes, abandoned: () => false, settle }));
}

export function append(log: EventLog, stream: string, wanted: Wanted = {}): Promise<Outcome> {
  return changed((queued) => log.change(queued), appendOf(stream, wanted));
}

/** Data of all events of the log, oldest first, with stream and revision. */
export function everything(log: EventLog): readonly string[] {
  const found: string[] = [];
  for (let next = 1; next <= log.head;) {
    const page = log.reader.all({ from: next, to: log.head });
    found.push(...page.events.map(({ stream, revision, data }) => `${stream}@${revision} ${data.toString()}`));
    next = page.next;
  }
  return found;
}
