/** From what is typed after `--starts-at` to an instant: one with its zone, or how long from now. Pure. */
import { parseDuration } from '@clustral/schemas/duration.ts';
import { CliError, exitCodes } from '../failure.ts';
import { visible } from '../text.ts';

// With a zone, because a start that means another hour elsewhere is a start that somebody will miss.
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/i;
const duration = /^(?:\d+[dhms])+$/i;
const longestSeconds = 366 * 86_400;

/** The instant that is meant. Throws a usage error for anything else than an instant with its zone or a duration. */
export function startInstant(text: string, now: Date): Date {
  if (duration.test(text)) {
    const seconds = parseDuration(text, { field: '--starts-at', maxSeconds: longestSeconds });
    return new Date(now.getTime() + seconds * 1000);
  }
  const at = new Date(instant.test(text) ? text.toUpperCase() : Number.NaN);
  if (!Number.isNaN(at.getTime())) return at;
  throw new CliError(
    exitCodes.usage,
    `'${visible(text)}' is no time for --starts-at`,
    'write it with its zone, as 2026-12-01T08:00Z, or how long from now, as 8h',
  );
}
