/** The few colours of this tool, by meaning: heads, labels, good, bad and quiet. Without colour the words are the same. */
import { styleText } from 'node:util';

export type Tone = 'head' | 'good' | 'bad' | 'warn' | 'quiet';

const styles = {
  head: 'bold',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  quiet: 'dim',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

/** The text in that tone, or as it is when colours are off. */
export function paint(on: boolean, tone: Tone | undefined, text: string): string {
  return on && tone !== undefined ? styleText(styles[tone], text, { validateStream: false }) : text;
}
