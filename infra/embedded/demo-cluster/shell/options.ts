/**
 * Command lines as POSIX programs read them: letters after a dash, some with a value, then operands.
 */

export interface Options {
  has(letter: string): boolean;
  /** The value of an option; the last one counts. */
  value(letter: string): string | undefined;
  operands: string[];
}

/**
 * Reads arguments.
 * @param letters options without a value
 * @param valued options with one, in the same or the next argument
 * @returns the options, or the sentence of a complaint
 */
export function parseOptions(args: readonly string[], letters: string, valued = ''): Options | string {
  const found = new Map<string, string>();
  const rest = [...args];
  while (rest[0] !== undefined && /^-./.test(rest[0])) {
    const argument = rest.shift() ?? '';
    if (argument === '--') break;
    for (let at = 1; at < argument.length; at += 1) {
      const letter = argument.charAt(at);
      if (letters.includes(letter)) found.set(letter, '');
      else if (valued.includes(letter)) {
        const value = argument.slice(at + 1) || rest.shift();
        if (value === undefined) return `option requires an argument -- '${letter}'`;
        found.set(letter, value);
        break;
      } else return argument.startsWith('--') ? `unrecognized option '${argument}'` : `invalid option -- '${letter}'`;
    }
  }
  return { has: (letter) => found.has(letter), value: (letter) => found.get(letter), operands: rest };
}
