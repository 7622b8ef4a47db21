/**
 * Cuts the text of a shell program into words and operators, and words into what is literal and what is a variable.
 */
import { IncompleteText, SyntaxFault, type Word, type WordPart } from './syntax.ts';

export type Token =
  | { kind: 'word'; word: Word }
  | { kind: 'operator'; operator: '|' | '||' | '&&' | ';' | '\n' }
  | { kind: 'redirect'; descriptor: 0 | 1 | 2; operator: '<' | '>' | '>>' | '>&' };

const operator = /(\|\||&&|[|;\n])/y;
const redirect = /([012]?)(>>|>&|<|>\|?)/y;
const variable = /\$(?:([A-Za-z_]\w*|[0-9?#@*$])|\{([A-Za-z_]\w*|[0-9]+|[?#@*$])\})/y;
const plain = /[^\s'"\\$`|&;<>()]+/y;
const blank = /(?:[ \t\r]|\\\n)+/y;
const comment = /#[^\n]*/y;

/**
 * The tokens of a text.
 * @throws SyntaxFault for what this shell cannot do, IncompleteText when a quote is not closed
 */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const reader = new Reader(text);
  while (!reader.atEnd) {
    if (reader.take(blank) !== undefined || reader.take(comment) !== undefined) continue;
    const redirected = reader.take(redirect);
    const found = redirected === undefined ? reader.take(operator) : undefined;
    if (redirected !== undefined) tokens.push(redirectToken(redirected));
    else if (found !== undefined) tokens.push({ kind: 'operator', operator: found[1] as '|' });
    else tokens.push({ kind: 'word', word: reader.word() });
  }
  return tokens;
}

function redirectToken([, descriptor = '', symbol = '']: RegExpExecArray): Token {
  const operatorText = symbol === '>|' ? '>' : (symbol as '<' | '>' | '>>' | '>&');
  const usual = operatorText === '<' ? 0 : 1;
  return {
    kind: 'redirect',
    descriptor: descriptor === '' ? usual : (Number(descriptor) as 0 | 1 | 2),
    operator: operatorText,
  };
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** What the pattern finds right here. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  word(): Word {
    const parts: WordPart[] = [];
    for (;;) {
      const text = this.take(plain);
      if (text !== undefined) {
        parts.push({ kind: 'text', text: text[0], quoted: false });
        continue;
      }
      const next = this.#text.charAt(this.#at);
      if (next === "'") parts.push(this.#singleQuoted());
      else if (next === '"') parts.push(...this.#doubleQuoted());
      else if (next === '\\') parts.push(this.#escaped());
      else if (next === '$') parts.push(this.#dollar(false));
      else if (next !== '' && '`()&'.includes(next)) throw beyond(next);
      else return parts;
    }
  }

  #singleQuoted(): WordPart {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new IncompleteText();
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return { kind: 'text', text, quoted: true };
  }

  #doubleQuoted(): WordPart[] {
    // An empty pair of quotes is a word too.
    const parts: WordPart[] = [{ kind: 'text', text: '', quoted: true }];
    this.#at += 1;
    for (;;) {
      const next = this.#text.charAt(this.#at);
      if (next === '') throw new IncompleteText();
      if (next === '"') break;
      if (next === '$') parts.push(this.#dollar(true));
      else if (next === '`') throw beyond(next);
      else {
        // Only these keep their backslash from being taken literally (XCU 2.2.3).
        const text = this.take(/\\([$`"\\\n])|[^"$`\\]+|\\/y);
        parts.push({ kind: 'text', text: text?.[1]?.replace('\n', '') ?? text?.[0] ?? '', quoted: true });
      }
    }
    this.#at += 1;
    return parts;
  }

  #escaped(): WordPart {
    const escaped = this.#text.charAt(this.#at + 1);
    if (escaped === '') throw new IncompleteText();
    this.#at += 2;
    return { kind: 'text', text: escaped === '\n' ? '' : escaped, quoted: true };
  }

  #dollar(quoted: boolean): WordPart {
    const found = this.take(variable);
    if (found !== undefined) return { kind: 'variable', name: found[1] ?? found[2] ?? '', quoted };
    const opened = /^\$[({]/.exec(this.#text.slice(this.#at, this.#at + 2));
    if (opened !== null) throw beyond(opened[0]);
    this.#at += 1;
    return { kind: 'text', text: '$', quoted: true };
  }
}

function beyond(what: string): SyntaxFault {
  return new SyntaxFault(`syntax error: "${what}" is more than the shell of this stand-in can do`);
}
