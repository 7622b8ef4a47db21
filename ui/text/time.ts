/**
 * Instants and spans as people read them. Everything is computed from two numbers that come in, never from the clock of the
 * machine, so that a laptop whose clock is wrong shows the same countdown as every other.
 */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A span in at most two units: `48s`, `4m`, `2h 5m`, `3d 4h`. Negative spans are 0s. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 2 * minute) return `${Math.floor(ms / second)}s`;
  if (ms < hour) return `${Math.floor(ms / minute)}m`;
  if (ms < 2 * day) return two(ms, { unit: hour, name: 'h' }, { unit: minute, name: 'm' });
  return two(ms, { unit: day, name: 'd' }, { unit: hour, name: 'h' });
}

type Unit = { readonly unit: number; readonly name: string };

function two(ms: number, big: Unit, small: Unit): string {
  const rest = Math.floor((ms % big.unit) / small.unit);
  const head = `${Math.floor(ms / big.unit)}${big.name}`;
  return rest === 0 ? head : `${head} ${rest}${small.name}`;
}

/** `4m ago`, `in 2h 5m`, `now` within two seconds. */
export function relative(at: number, now: number): string {
  const difference = at - now;
  if (Math.abs(difference) < 2 * second) return 'now';
  return difference < 0 ? `${span(-difference)} ago` : `in ${span(difference)}`;
}

/** How many milliseconds until `relative` or a countdown to `at` reads differently: what a clock needs to tick for. */
export function tickMs(at: number, now: number): number {
  const distance = Math.abs(at - now);
  if (distance < 2 * minute) return second;
  return distance < 2 * hour ? 15 * second : minute;
}

/** Which zone instants are written in. */
export type Zone = 'utc' | 'local';

/** `2026-11-20 14:05:12Z`, or the same in the zone of the browser with its offset. */
export function instant(at: number, zone: Zone = 'utc'): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'unknown';
  if (zone === 'utc')
    return date
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, 'Z');
  const offset = -date.getTimezoneOffset();
  const shifted = new Date(at + offset * minute)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${shifted}${offset < 0 ? '-' : '+'}${pad(hours)}:${pad(minutes)}`;
}

/** The time of day alone: `14:05:12Z`. */
export function timeOfDay(at: number): string {
  return instant(at).slice(11);
}

/** `today 18:02`, `tomorrow 09:00`, `20 Nov 18:02`: an end that somebody plans by, in the zone of the browser. */
export function untilWhen(at: number, now: number): string {
  const date = new Date(at);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  const days = Math.round((midnight(at) - midnight(now)) / day);
  if (days === 0) return time;
  if (days === 1) return `tomorrow ${time}`;
  return `${date.getDate()} ${date.toLocaleString('en', { month: 'short' })} ${time}`;
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

const pad = (value: number): string => String(value).padStart(2, '0');
