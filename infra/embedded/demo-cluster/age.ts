/**
 * How long ago something happened, as kubectl's AGE column says it: two units for young things, one for old ones.
 */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** The age of an instant (RFC 3339) at `now`; `<unknown>` for no instant. */
export function ageOf(instant: string, now: Date): string {
  if (instant === '') return '<unknown>';
  return humanDuration(now.getTime() - Date.parse(instant));
}

/** A span in milliseconds as kubectl prints it. */
export function humanDuration(spanMs: number): string {
  const span = Math.max(0, spanMs);
  const whole = (unit: number): number => Math.floor(span / unit);
  const rest = (of: number, unit: number): number => Math.floor((span % of) / unit);
  if (span < 2 * minute) return `${whole(second)}s`;
  if (span < 10 * minute) return two(whole(minute), 'm', [rest(minute, second), 's']);
  if (span < 3 * hour) return `${whole(minute)}m`;
  if (span < 8 * hour) return two(whole(hour), 'h', [rest(hour, minute), 'm']);
  if (span < 2 * day) return `${whole(hour)}h`;
  if (span < 8 * day) return two(whole(day), 'd', [rest(day, hour), 'h']);
  if (span < 2 * year) return `${whole(day)}d`;
  if (span < 8 * year) return two(whole(year), 'y', [rest(year, day), 'd']);
  return `${whole(year)}y`;
}

function two(count: number, unit: string, [restCount, restUnit]: [number, string]): string {
  return restCount === 0 ? `${count}${unit}` : `${count}${unit}${restCount}${restUnit}`;
}
