/** The results as text: aligned for a person, with the way out below each problem; four columns with tabs for everybody else. */
import { paint, type Tone } from '../style.ts';
import type { Result, Status } from './check.ts';

const tones: Readonly<Record<Status, Tone>> = { ok: 'good', warn: 'warn', fail: 'bad', skipped: 'quiet' };

/** One line per result. */
export function reportOf(results: readonly Result[], { aligned, color }: { aligned: boolean; color: boolean }): string {
  if (!aligned)
    return results
      .map(({ check, status, message, fix }) => `${[status, check, message, fix ?? ''].join('\t').trimEnd()}\n`)
      .join('');
  const widest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));
  const [statuses, names] = [widest(results.map(({ status }) => status)), widest(results.map(({ check }) => check))];
  return results
    .map(({ check, status, message, fix }) => {
      const line = `${paint(color, tones[status], status)}${' '.repeat(statuses - status.length)}   ${check.padEnd(names)}   ${message}\n`;
      return fix === undefined
        ? line
        : `${line}${' '.repeat(statuses + names + 6)}${paint(color, 'quiet', 'fix:')} ${fix}\n`;
    })
    .join('');
}
