/**
 * The answer to one press of the key: lines of `value TAB description`, or `:files`. Only values that no shell takes apart are offered: what somebody
 * called a cluster stands on another person's command line and must not run there (ID-14).
 */
import { visible } from '../text.ts';
import type { Named } from './names-cache.ts';

/** Said instead of values when the shell shall complete paths. */
export const filesLine = ':files\n';

const safe = /^[\p{L}\p{N}_-][\p{L}\p{N}._@:/+=-]{0,252}$/u;
const mostLines = 500;
const longestText = 60;

/** The lines for what begins with `typed`; `prefix` stands before each value in the same word, and `cut` characters of it are not repeated. */
export function answerLines(
  candidates: readonly Named[],
  { typed, prefix, cut }: { typed: string; prefix: string; cut: number },
): string {
  const lines = candidates
    .filter(({ value }) => safe.test(value))
    .map(({ value, text }) => ({ value: `${prefix}${value}`, text }))
    .filter(({ value }) => value.startsWith(typed) && !(typed === '' && value.startsWith('-')))
    .slice(0, mostLines)
    .map(({ value, text }) => `${value.slice(cut)}\t${visible(text).slice(0, longestText)}\n`);
  return [...new Set(lines)].join('');
}

/** Words as bash passes them, put together again: it takes them apart at `=`, `:` and `@`. `cut` is what it completes by itself. */
export function joinedWords(words: readonly string[]): { words: readonly string[]; cut: number } {
  const joined: string[] = [];
  let cut = 0;
  let isGlued = false;
  for (const word of words) {
    const isBreak = /^[=:@]+$/.test(word) || word === '://';
    if (joined.length > 0 && (isBreak || isGlued)) {
      const before = joined.pop() ?? '';
      cut = isBreak ? before.length + word.length : before.length;
      joined.push(before + word);
    } else {
      cut = 0;
      joined.push(word);
    }
    isGlued = isBreak;
  }
  return { words: joined, cut };
}
