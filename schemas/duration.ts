/**
 * Strict durations (D23): `<n>d<n>h<n>m<n>s`, each unit at most once and in this order, either case, or ISO 8601's
 * `P[nD][T[nH][nM][nS]]`. Weeks, months, years, fractions, signs, blanks and zero are refused, so that nobody is
 * given longer than they thought they typed. Configuration also takes `hh:mm:ss`; the API does not.
 */
import { Refusal } from './errors.ts';

const short = /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/i;
const iso = /^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/i;
const clock = /^(\d{1,4}):([0-5]\d):([0-5]\d)$/;

export type DurationRule = {
  /** The field named in the refusal, e.g. `ttl`. */
  readonly field: string;
  readonly maxSeconds: number;
};

/** Seconds of a duration as the API takes it. Throws `INVALID_DURATION` naming the field. */
export function parseDuration(text: string, rule: DurationRule): number {
  return checked(text, secondsOf(text), rule);
}

/** Seconds of a duration as configuration takes it: also `hh:mm:ss`. Throws `INVALID_DURATION` naming the variable. */
export function parseConfiguredDuration(text: string, rule: DurationRule): number {
  const match = clock.exec(text);
  const seconds = match ? Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]) : secondsOf(text);
  return checked(text, seconds, rule);
}

/** The shortest text that `parseDuration` reads back as the same number of whole seconds: 5400 → `1h30m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
  return shown.join('') || '0s';
}

function secondsOf(text: string): number | undefined {
  // `PT` alone and `P` alone match the pattern but name no unit.
  const match = /t$/i.test(text) ? null : (iso.exec(text) ?? short.exec(text));
  if (!match || match.slice(1).every((part) => part === undefined)) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
}

function checked(text: string, seconds: number | undefined, rule: DurationRule): number {
  const shown = JSON.stringify(text.slice(0, 40));
  if (seconds === undefined || seconds === 0) {
    throw new Refusal(
      'INVALID_DURATION',
      `${shown} is not a duration for '${rule.field}': write it as '30m', '8h', '1d12h' or 'PT8H', longer than zero.`,
      { field: rule.field },
    );
  }
  if (seconds > rule.maxSeconds) {
    throw new Refusal(
      'INVALID_DURATION',
      `${shown} for '${rule.field}' is longer than the maximum of ${formatDuration(rule.maxSeconds)}.`,
      { field: rule.field, maximum: formatDuration(rule.maxSeconds) },
    );
  }
  return seconds;
}
