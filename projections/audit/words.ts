/**
 * Words of the audit's free text: letters and digits, two or more, compatibility forms and case folded. A search and a record
 * are cut the same way, so `admin@corp.example` finds what has the words admin, corp and example. No substrings, no patterns.
 */

const mostWords = 48;
const longestWord = 40;
const mostSearched = 10;

/** The words of a record, each once. */
export function wordsOf(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap(cut))].slice(0, mostWords);
}

/** What a search asks for: whole words, and the last as a prefix. Undefined when it holds no word at all. */
export function searchedWords(
  text: string,
): { readonly whole: readonly string[]; readonly prefix: string } | undefined {
  const words = cut(text);
  const prefix = words.at(-1);
  return prefix === undefined ? undefined : { whole: words.slice(0, -1).slice(0, mostSearched), prefix };
}

/** A name as it is compared: composed and in lower case (as D14 compares names). */
export const searchKey = (name: string): string => name.normalize('NFC').toLowerCase();

// In code points, so that no character is cut in two.
const word = new RegExp(`[\\p{L}\\p{M}\\p{N}]{2,${longestWord}}`, 'gu');

function cut(text: string): readonly string[] {
  return text.normalize('NFKC').toLowerCase().match(word) ?? [];
}
