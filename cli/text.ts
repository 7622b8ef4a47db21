/**
 * Text from elsewhere made safe for a terminal: everything shown may have been written by somebody with other intentions (ID-14). What cannot
 * be seen, or moves what can, is shown as an escape.
 */

// Control characters (ANSI sequences begin with one, C1 is one in eight bits), format characters (direction, zero width, tags), line separators,
// halves of surrogate pairs.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with every character that a terminal would obey instead of show as `\uXXXX`. */
export function visible(text: string): string {
  return text.replace(unseen, escaped);
}

/** JSON in which a string holds no such character either; it parses to the same value. */
export function visibleJson(value: unknown, indent = 0): string {
  // A line break in JSON text is layout: inside a string it is already escaped.
  return (JSON.stringify(value, null, indent) ?? 'null').replace(unseen, (char) =>
    char === '\n' ? char : escaped(char),
  );
}

function escaped(char: string): string {
  return Array.from({ length: char.length }, (_, index) => hex(char.charCodeAt(index))).join('');
}

const hex = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/** How long ago or how long until, in one or two units: `4m`, `2h5m`, `3d`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d`;
}

/** The closest of the known words when it is close enough to be meant (at most two edits). */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (word.length > 80) return undefined;
  const scored = known.map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }));
  const best = scored.toSorted((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= 2 && best.distance < best.name.length ? best.name : undefined;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
