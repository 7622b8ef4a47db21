/**
 * Links: events of the type `$>` whose data is `revision@stream`. A reader who asks for it sees the event that is pointed to,
 * with the link beside it; when that event is not there, he sees the link alone.
 */
import type { EventLog } from '../event-log.ts';
import type { StoredEvent } from '../records.ts';
import type { ShownEvent } from './event-encoding.ts';

const linkType = '$>';

export function showEvents(log: EventLog, events: readonly StoredEvent[]): readonly ShownEvent[] {
  return events.map((event) => {
    if (event.type !== linkType) return { event };
    const [, revision, stream] = /^(\d{1,15})@(.+)$/s.exec(event.data.toString()) ?? [];
    const target = stream === undefined ? undefined : log.event(stream, Number(revision));
    return { event: target, link: event };
  });
}
