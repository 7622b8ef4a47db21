/**
 * What the commands of `AccessService` take beside names and texts: durations, instants, the request to prolong. Parsed
 * here once; what depends on the present state or time is checked by the deciders.
 */
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { parseDuration } from '@clustral/schemas/duration.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { isUuid } from '@clustral/schemas/ids.ts';

/** Seconds; undefined when nothing is named. Throws `INVALID_DURATION`. */
export function parseAskedDuration(text: string, maxSeconds: number): number | undefined {
  return text === '' ? undefined : parseDuration(text, { field: 'duration', maxSeconds });
}

/** The instant; undefined when none is named. Throws `VALIDATION_ERROR` for one that no calendar has. */
export function parseInstant(field: 'startsAt' | 'shownAt', timestamp: Timestamp | undefined): Date | undefined {
  if (timestamp === undefined) return undefined;
  const instant = timestampDate(timestamp);
  if (!Number.isNaN(instant.getTime())) return instant;
  throw new Refusal('VALIDATION_ERROR', `'${field}' is no instant that a calendar has.`, { field });
}

/** The id of the request that is to be prolonged; null when none is. Throws `VALIDATION_ERROR`. */
export function parseExtends(text: string): string | null {
  if (text === '') return null;
  if (isUuid(text)) return text.toLowerCase();
  throw new Refusal(
    'VALIDATION_ERROR',
    `${JSON.stringify(text.slice(0, 60))} is not the id of an access request: it must be a UUID of 36 characters.`,
    { field: 'extends' },
  );
}
