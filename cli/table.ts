/** Tables as kubectl prints them: upper-case heads, no lines, three blanks between columns; tab-separated when nobody looks. */
import stringWidth from 'string-width';
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

/** The rows as text. */
export function table<T>(rows: readonly T[], { columns, heads, aligned, width, color }: TableOptions<T>): string {
  const lines: Cell[][] = [
    ...(heads ? [columns.map(({ head }): Cell => ({ text: head, tone: 'head' }))] : []),
    ...rows.map((row) => columns.map(({ value, tone }): Cell => ({ text: visible(value(row)), tone: tone?.(row) }))),
  ];
  if (!aligned) return lines.map((line) => `${line.map(({ text }) => text).join('\t')}\n`).join('');
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => stringWidth(line[index]?.text ?? ''))));
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + gutter, 0);
  const forLast = Math.max(width - before, narrowest);
  const shown = ({ text, tone }: Cell, index: number): string => {
    if (index === last) return paint(color, tone, shortened(text, forLast));
    return paint(color, tone, text) + ' '.repeat((widths[index] ?? 0) - stringWidth(text) + gutter);
  };
  return lines.map((line) => `${line.map(shown).join('').trimEnd()}\n`).join('');
}

function shortened(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = '';
  let taken = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    taken += stringWidth(segment);
    if (taken >= width) return `${shown}…`;
    shown += segment;
  }
  return shown;
}
