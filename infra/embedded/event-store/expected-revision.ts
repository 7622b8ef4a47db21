/**
 * Optimistic concurrency: may this append be written on top of what the stream holds? It also recognises a retry. An
 * append that names an older revision is not wrong if exactly its events follow that revision: then the first answer was
 * lost, and it gets that answer again. No index of ids is needed for that, only the stream itself.
 */
import type { AppendOutcome, Expected, ProposedEvent } from './records.ts';

type Asked = { readonly expected: Expected; readonly events: readonly ProposedEvent[] };
type StoredId = { readonly id: Uint8Array; readonly position: number };

/** Looks up ids and positions of at most `count` events of the stream after a revision, oldest first. */
type LookUp = (after: number, count: number) => readonly StoredId[];

/** `write`: go on. Anything else is the answer. */
export function checkExpected(
  { expected, events }: Asked,
  stream: { readonly last: number } | undefined,
  lookUp: LookUp,
): { readonly kind: 'write' } | AppendOutcome {
  const last = stream?.last ?? -1;
  if (events.length === 0) return { kind: 'invalid', reason: 'an append must carry at least one event' };
  switch (expected.kind) {
    case 'exactly': {
      if (expected.revision === last) return { kind: 'write' };
      return retryOf(events, expected.revision, lookUp) ?? { kind: 'wrongRevision', current: last };
    }
    case 'exists':
    case 'any': {
      if (expected.kind === 'exists' && last === -1) return { kind: 'wrongRevision', current: last };
      // Best effort, as the protocol has it: only a retry that comes before anybody else's append is recognised.
      return (last >= 0 ? retryOf(events, last - events.length, lookUp) : undefined) ?? { kind: 'write' };
    }
    default:
      return expected satisfies never;
  }
}

function retryOf(events: readonly ProposedEvent[], after: number, lookUp: LookUp): AppendOutcome | undefined {
  if (after < -1) return undefined;
  const stored = lookUp(after, events.length);
  const newest = stored.at(-1);
  if (newest === undefined || stored.length < events.length) return undefined;
  const equal = stored.every(({ id }, index) => Buffer.compare(id, events[index]?.id ?? new Uint8Array()) === 0);
  return equal ? { kind: 'appended', revision: after + events.length, position: newest.position } : undefined;
}
