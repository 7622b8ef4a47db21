/** Tables as kubectl prints them: upper-case heads, no lines, three blanks between columns; tab-separated when nobody looks. */
import { paint, type Tone } from './style.ts';
import { visible } from './text.ts';

export type Column<T> = {
  readonly head: string;
  readonly value: (row: T) => string;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
  readonly tone?: (row: T) => Tone | undefined;
};

export type TableOptions<T> = {
  readonly columns: readonly Column<T>[];
  readonly heads: boolean;
  /** Aligned for a terminal; else tabs, and nothing shortened. */
  readonly aligned: boolean;
  /** Columns of the terminal: the last column is shortened to fit. */
  readonly width: number;
  readonly color: boolean;
};

type Cell = { readonly text: string; readonly tone?: Tone | undefined };

const gutter = 3;
const narrowest = 16;

/** How many columns of a terminal a text takes. */
type Ruler = (text: string) => number;

/** The rows as text. */
export async function table<T>(
  rows: readonly T[],
  { columns, heads, aligned, width, color }: TableOptions<T>,
): Promise<string> {
  const lines: Cell[][] = [
    ...(heads ? [columns.map(({ head }): Cell => ({ text: head, tone: 'head' }))] : []),
    ...rows.map((row) => columns.map(({ value, tone }): Cell => ({ text: visible(value(row)), tone: tone?.(row) }))),
  ];
  if (!aligned) return lines.map((line) => `${line.map(({ text }) => text).join('\t')}\n`).join('');
  const widthOf = await rulerFor(lines);
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index]?.text ?? ''))));
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + gutter, 0);
  const forLast = Math.max(width - before, narrowest);
  const shown = ({ text, tone }: Cell, index: number): string => {
    if (index === last) return paint(color, tone, shortened(text, forLast, widthOf));
    return paint(color, tone, text) + ' '.repeat((widths[index] ?? 0) - widthOf(text) + gutter);
  };
  return lines.map((line) => `${line.map(shown).join('').trimEnd()}\n`).join('');
}

/** What Unicode says of widths takes 40 ms to load, and most tables are written in ASCII. */
async function rulerFor(lines: readonly (readonly Cell[])[]): Promise<Ruler> {
  const isAscii = lines.every((line) => line.every(({ text }) => /^[ -~]*$/.test(text)));
  return isAscii ? (text) => text.length : (await import('string-width')).default;
}

function shortened(text: string, width: number, widthOf: Ruler): string {
  if (widthOf(text) <= width) return text;
  let shown = '';
  let taken = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    taken += widthOf(segment);
    if (taken >= width) return `${shown}…`;
    shown += segment;
  }
  return shown;
}
