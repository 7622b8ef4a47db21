/**
 * Facts, stream names and ways to read for the tests of the log. Every name is new, so tests do not see each other.
 */
import { randomUUID } from 'node:crypto';
import type { FactMetadata, NewFact, Recorded } from '@clustral/schemas/events/envelope.ts';
import type { LogMessage } from './event-store-port.ts';

export type Counted = { readonly type: 'test.counted'; readonly data: { readonly n: number; readonly text?: string } };

export const metadata: FactMetadata = {
  schemaVersion: 1,
  actor: { kind: 'user', id: 'f4b2a6f0-5f0e-4a63-9d55-0c9d0f6f1f5e' },
  epoch: 3,
  $correlationId: 'correlation',
  userAgent: 'kubectl/1.33 (linux/amd64) – ü',
};
export const counted = (n: number, text?: string): NewFact<Counted> => ({
  type: 'test.counted',
  id: randomUUID(),
  data: { n, ...(text !== undefined && { text }) },
  metadata,
});
export const countedTo = (count: number) => Array.from({ length: count }, (_, n) => counted(n));
export const newStream = (category = 'test') => `${category}-${randomUUID()}`;
/** A category of its own per test: what a prefix filter selects. */
export const newCategory = () => `test${randomUUID().replaceAll('-', '')}`;
export const numbersOf = (facts: readonly Recorded[]) => facts.map(({ data }) => (data as Counted['data']).n);

/** Facts, or all messages, until `enough` says stop. */
export async function take(messages: AsyncIterable<LogMessage>, enough: (seen: readonly LogMessage[]) => boolean) {
  const seen: LogMessage[] = [];
  for await (const message of messages) {
    seen.push(message);
    if (enough(seen)) break;
  }
  return seen;
}
export const factsOf = (messages: readonly LogMessage[]) =>
  messages.flatMap((message) => (message.kind === 'fact' ? [message.fact] : []));
export const untilFacts = (count: number) => (seen: readonly LogMessage[]) => factsOf(seen).length >= count;
export const untilCaughtUp = (seen: readonly LogMessage[]) => seen.at(-1)?.kind === 'caughtUp';
export const unlimited = new AbortController().signal;
