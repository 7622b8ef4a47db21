/** Header lists for tests, written so that they can be read. */

/** `a: b` lines as name, value, name, value. */
export const lines = (...texts: readonly string[]): string[] =>
  texts.flatMap((text) => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1).trim()]);

/** The lines of one header. */
export const linesOf = (headers: readonly string[], name: string): readonly string[] =>
  headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name);
