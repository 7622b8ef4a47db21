/**
 * Questions about one UTF-16 code unit, which is what .NET's regular expressions take a character to be. Each is answered in
 * constant time.
 */
export type CharacterTest = (unit: number) => boolean;

const wordCharacter = /[\p{L}\p{Mn}\p{Nd}\p{Pc}]/u;
const digitCharacter = /\p{Nd}/u;
const generalCategory = /^(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfosn]?)$/;

/** What may be part of a word. */
export const words = tabled((unit) => wordCharacter.test(String.fromCharCode(unit)));
const digits = tabled((unit) => digitCharacter.test(String.fromCharCode(unit)));
const spaces = tabled((unit) => /\s/.test(String.fromCharCode(unit)) || unit === 0x85);

/** The same question, answered from a table for ASCII, of which names mostly are. */
export function tabled(test: CharacterTest): CharacterTest {
  const answers = Array.from({ length: 128 }, (_, unit) => test(unit));
  return (unit) => answers[unit] ?? test(unit);
}

export function oneOf(wanted: number): CharacterTest {
  return (unit) => unit === wanted;
}

export function inRanges(spans: readonly (readonly [low: number, high: number])[], unit: number): boolean {
  return spans.some(([low, high]) => unit >= low && unit <= high);
}

export function not(test: CharacterTest): CharacterTest {
  return (unit) => !test(unit);
}

/** The characters of a general category of Unicode, or undefined when there is none of this name. */
export function isCategory(name: string): CharacterTest | undefined {
  if (!generalCategory.test(name)) return undefined;
  const expression = new RegExp(`\\p{${name}}`, 'u');
  return tabled((unit) => expression.test(String.fromCharCode(unit)));
}

/** What a letter after a backslash stands for, when it stands for many. */
export const classes: Readonly<Record<string, CharacterTest>> = {
  d: digits,
  D: not(digits),
  w: words,
  W: not(words),
  s: spaces,
  S: not(spaces),
};

/** And when it stands for one control character. */
export const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7, e: 27 };
