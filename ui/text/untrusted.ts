/**
 * Text that somebody else wrote (names, reasons, user agents, messages of an agent) cut into what may be shown as it is and what
 * must be shown as a mark: control characters, marks of direction, characters without width. Nothing is dropped, so two texts
 * that differ look different (UI-01).
 */

/** A piece of the text: shown as it is, or a mark that stands for one character. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'mark'; readonly name: string };

// As the command line tool: controls, formats (direction, zero width, tags), separators of lines, halves of surrogate pairs;
// besides blanks that look like none.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]/gu;

/** At most this many characters are cut; the rest is one last mark that says how many there are. */
const longest = 20_000;

const names: Readonly<Record<string, string>> = {
  '\t': '⇥',
  '\n': '↵',
  '\r': '␍',
  '\u001b': 'ESC',
  '\u00ad': 'SHY',
  '\u061c': 'ALM',
  '\u200b': 'ZWSP',
  '\u200c': 'ZWNJ',
  '\u200d': 'ZWJ',
  '\u200e': 'LRM',
  '\u200f': 'RLM',
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
  '\ufeff': 'BOM',
};

/** The pieces of the text in order; joined again they tell every character. */
export function segmentsOf(text: string): readonly Segment[] {
  const shown = text.slice(0, longest);
  const segments: Segment[] = [];
  let end = 0;
  for (const match of shown.matchAll(unseen)) {
    if (match.index > end) segments.push({ kind: 'text', text: shown.slice(end, match.index) });
    segments.push({ kind: 'mark', name: nameOf(match[0]) });
    end = match.index + match[0].length;
  }
  if (end < shown.length) segments.push({ kind: 'text', text: shown.slice(end) });
  if (text.length > longest) segments.push({ kind: 'mark', name: `${text.length - longest} more characters` });
  return segments;
}

/** The same for places that take no elements (titles, labels, option texts): each mark in brackets. */
export function visible(text: string): string {
  return segmentsOf(text)
    .map((segment) => (segment.kind === 'text' ? segment.text : `[${segment.name}]`))
    .join('');
}

function nameOf(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return names[character] ?? `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
}
