/** A question to the person at the terminal, on stderr, because stdout is the answer. Nobody answering is a "no". */
import { createInterface } from 'node:readline';
import type { CliContext } from './context.ts';
import { paint } from './style.ts';

const waitLimitMs = 120_000;

/** Asks for yes or no; `fallback` is what Enter alone means. False when the input ends or nobody answers in two minutes. */
export async function confirm(
  context: CliContext,
  question: string,
  { fallback }: { fallback: boolean },
): Promise<boolean> {
  const typed = await ask(context, `${paint(context.color.stderr, 'head', question)} ${fallback ? '[Y/n]' : '[y/N]'}`);
  if (typed === undefined) return false;
  return typed === '' ? fallback : /^y(es)?$/i.test(typed);
}

/** What the person types behind the prompt, without blanks at its ends; undefined when the input ends or nobody answers in two minutes. */
export async function ask(context: CliContext, prompt: string): Promise<string | undefined> {
  // Not as a terminal: then Ctrl-C stays the signal that it is everywhere else.
  const lines = createInterface({ input: context.stdin, output: context.stderr, terminal: false });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const timer = setTimeout(() => resolve(undefined), waitLimitMs);
  lines.once('line', resolve).once('close', () => resolve(undefined));
  context.stderr.write(`${prompt} `);
  const typed = await promise;
  clearTimeout(timer);
  lines.close();
  if (typed === undefined) context.stderr.write('\n');
  return typed?.trim();
}
