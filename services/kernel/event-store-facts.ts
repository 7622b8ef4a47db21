/**
 * Between facts and the client's events: a fact's data and metadata travel as JSON, its type is the event's type. Nothing
 * is interpreted here; a reader that knows the stream's facts decodes them.
 */
import type { EventData, JSONType, RecordedEvent } from '@eventstore/db-client';
import type { Fact, NewFact, Recorded } from '@clustral/schemas/events/envelope.ts';

/** As an EventStoreDB takes by default in one append: 1 MiB, less what the client adds per event. */
const maxAppendBytes = 1_000_000;

/**
 * Throws a plain `Error` for facts that cannot be stored. It must happen here: the client turns data into JSON inside a
 * promise that nobody listens to, so an error there would end the process.
 */
export function toEventData(stream: string, facts: readonly NewFact[]): EventData[] {
  if (facts.length === 0) throw new Error(`an append to ${stream} carries no facts`);
  let bytes = 0;
  for (const { type, data, metadata } of facts) {
    bytes += Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata)) + type.length;
  }
  if (bytes > maxAppendBytes) throw new Error(`an append to ${stream} is ${bytes} bytes, more than ${maxAppendBytes}`);
  return facts.map(({ id, type, data, metadata }) => {
    // Just proven to become JSON, which is all that the client's own type says.
    return { contentType: 'application/json', id, type, data: data as JSONType, metadata };
  });
}

/** True for an event that the server wrote by itself: no fact of ours has a type that begins so. */
export const isOfServer = ({ type }: Pick<RecordedEvent, 'type'>): boolean => type.startsWith('$');

/** Throws a plain `Error` when the server is too old to say where an event lies in the log. */
export function toRecorded<F extends Fact>(event: RecordedEvent): Recorded<F> {
  if (event.position === undefined) {
    throw new Error('the event store does not tell positions: it must be EventStoreDB 22.6 or newer (D18)');
  }
  // What was stored is what its writer's types say; decoding by type and schema version is the reader's work.
  return {
    id: event.id,
    type: event.type,
    data: event.data,
    metadata: event.metadata,
    stream: event.streamId,
    revision: Number(event.revision),
    position: event.position.commit,
    recordedAt: event.created,
  } as unknown as Recorded<F>;
}
