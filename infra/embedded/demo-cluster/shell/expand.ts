/**
 * Words of a shell program as the arguments they stand for (XCU 2.6): values of variables, split at blanks where they
 * are not quoted; the home directory for a leading tilde. Patterns of file names stay as they are.
 */
import { limits } from '../limits.ts';
import type { Word } from './syntax.ts';

/** What variables stand for. */
export interface Values {
  /** '' for one that is not set. */
  valueOf(name: string): string;
  /** What `"$@"` stands for. */
  positional: readonly string[];
}

/** A command grew over what a system takes. */
export class ArgumentsTooLong extends Error {
  constructor() {
    super('Argument list too long');
  }
}

/** The arguments of words. @throws ArgumentsTooLong */
export function expandWords(words: readonly Word[], values: Values): string[] {
  const fields = words.flatMap((word) => expandWord(word, values));
  if (fields.reduce((sum, { length }) => sum + length + 1, 0) > limits.shellVariableBytes) throw new ArgumentsTooLong();
  return fields;
}

/** A word as one text, where nothing is split: values, targets. @throws ArgumentsTooLong */
export function expandText(word: Word, values: Values): string {
  let text = '';
  for (const part of withHome(word, values)) {
    text += part.kind === 'text' ? part.text : values.valueOf(part.name);
    if (text.length > limits.shellVariableBytes) throw new ArgumentsTooLong();
  }
  return text;
}

function expandWord(word: Word, values: Values): string[] {
  const fields: string[] = [];
  let open: string | undefined;
  const close = (): void => {
    if (open !== undefined) fields.push(open);
    open = undefined;
  };
  const add = (text: string): void => {
    open = (open ?? '') + text;
    if (open.length > limits.shellVariableBytes) throw new ArgumentsTooLong();
  };
  for (const part of withHome(word, values)) {
    if (part.kind === 'text') add(part.text);
    else if (part.quoted && part.name === '@') {
      values.positional.forEach((argument, index) => {
        if (index > 0) close();
        add(argument);
      });
    } else if (part.quoted) add(values.valueOf(part.name));
    else {
      // Blanks end an argument; those at the ends of a value part it from its neighbours.
      const pieces = values.valueOf(part.name).split(/[ \t\n]+/);
      pieces.forEach((piece, index) => {
        if (index > 0) close();
        if (piece !== '') add(piece);
      });
    }
  }
  close();
  return fields;
}

function withHome(word: Word, values: Values): Word {
  const [first, ...rest] = word;
  if (first?.kind !== 'text' || first.quoted || !/^~(?:\/|$)/.test(first.text)) return word;
  return [{ kind: 'text', text: values.valueOf('HOME') + first.text.slice(1), quoted: true }, ...rest];
}
