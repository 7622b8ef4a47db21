/**
 * Reads a regular expression of a client into a tree, or says why it is refused. Served is what can be matched in a time that
 * grows with the length of the text and no faster, in the spelling of .NET, which is what EventStoreDB itself takes:
 *
 *   characters, `.`, `\t \n \r \f \v \xHH \uHHHH`, escaped punctuation
 *   classes `[a-z_] [^a-z]`, `\d \D \w \W \s \S`, general categories `\p{L} \P{Lu}`
 *   groups `(…) (?:…) (?<name>…)`, alternatives `|`
 *   `* + ? {n} {n,} {n,m}`, each also with a `?` behind it
 *   `^ $ \A \z \Z \b \B`
 *
 * Refused are back references, look-around, atomic groups, options and conditions: the first two have no such bound, and the
 * others change what an expression means.
 */
import { classes, controls, inRanges, isCategory, not, oneOf, tabled, type CharacterTest } from './character-tests.ts';

export type Assertion = 'start' | 'end' | 'endOrNewline' | 'boundary' | 'noBoundary';

export type PatternNode =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly least: number; readonly most: number };

/** The expression is not served; the message says why. */
export class RefusedPattern extends Error {
  constructor(reason: string) {
    super(`the regular expression is not served: ${reason}`);
    this.name = 'RefusedPattern';
  }
}

const maxLength = 1_000;
const maxRepeats = 200;
const maxDepth = 50;
const anything: CharacterTest = (unit) => unit !== 10;
const assertions: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  Z: 'endOrNewline',
  b: 'boundary',
  B: 'noBoundary',
};

/** Throws `RefusedPattern`. */
export function parsePattern(source: string): PatternNode {
  if (source.length > maxLength) throw new RefusedPattern(`it is longer than ${maxLength} characters`);
  return new Parser(source).whole();
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  whole(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new RefusedPattern('a ) has no (');
    return node;
  }

  #choice(): PatternNode {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new RefusedPattern(`groups lie more than ${maxDepth} deep`);
    const options = [this.#sequence()];
    while (this.#takes('|')) options.push(this.#sequence());
    this.#depth -= 1;
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && !')|'.includes(this.#peek())) parts.push(this.#repeated(this.#atom()));
    return { kind: 'sequence', parts };
  }

  #repeated(part: PatternNode): PatternNode {
    const bounds = this.#quantifier();
    if (bounds === undefined) return part;
    if (part.kind === 'assertion') throw new RefusedPattern('nothing can be repeated there');
    // Lazy or greedy makes a difference to what is captured, and nothing is captured here.
    this.#takes('?');
    if (this.#isQuantifier()) throw new RefusedPattern('a repetition is repeated');
    return { kind: 'repeat', part, ...bounds };
  }

  #quantifier(): { least: number; most: number } | undefined {
    if (this.#takes('*')) return { least: 0, most: Infinity };
    if (this.#takes('+')) return { least: 1, most: Infinity };
    if (this.#takes('?')) return { least: 0, most: 1 };
    const [text, low, comma, high] = this.#match(/\{(\d+)(,?)(\d*)\}/y) ?? [];
    if (text === undefined) return undefined;
    const least = Number(low);
    const most = comma === '' ? least : high === '' ? Infinity : Number(high);
    if (least > maxRepeats || (most !== Infinity && most > maxRepeats)) {
      throw new RefusedPattern(`${text} repeats more than ${maxRepeats} times`);
    }
    if (most < least) throw new RefusedPattern(`${text} has its ends in the wrong order`);
    return { least, most };
  }

  #isQuantifier(): boolean {
    return '*+?'.includes(this.#peek() || ' ') || /\{\d+,?\d*\}/y.test(this.#source.slice(this.#at));
  }

  #atom(): PatternNode {
    if (this.#isQuantifier()) throw new RefusedPattern('nothing stands before a repetition');
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'character', test: this.#class() };
      case '.':
        return { kind: 'character', test: anything };
      case '^':
        return { kind: 'assertion', assertion: 'start' };
      case '$':
        return { kind: 'assertion', assertion: 'endOrNewline' };
      case '\\':
        return this.#escape();
      default:
        return { kind: 'character', test: oneOf(character.charCodeAt(0)) };
    }
  }

  #group(): PatternNode {
    if (this.#peek() === '?' && this.#match(/\?:|\?<[A-Za-z_]\w*>|\?'[A-Za-z_]\w*'/y) === undefined) {
      throw new RefusedPattern('look-around, options and conditions in groups');
    }
    const node = this.#choice();
    if (!this.#takes(')')) throw new RefusedPattern('a ( has no )');
    return node;
  }

  #escape(): PatternNode {
    const assertion = assertions[this.#peek()];
    if (assertion === undefined) return { kind: 'character', test: this.#escapedCharacter() };
    this.#at += 1;
    return { kind: 'assertion', assertion };
  }

  /** After the backslash, outside and inside of classes. */
  #escapedCharacter(): CharacterTest {
    const category = this.#match(/([pP])\{(\w+)\}/y);
    if (category !== undefined) return this.#category(category[1] === 'P', category[2] ?? '');
    const character = this.#next();
    return classes[character] ?? oneOf(this.#codeOf(character));
  }

  #category(negated: boolean, name: string): CharacterTest {
    const test = isCategory(name);
    if (test === undefined) throw new RefusedPattern(`\\p{${name}} is no general category`);
    return negated ? not(test) : test;
  }

  #codeOf(character: string): number {
    const control = controls[character];
    if (control !== undefined) return control;
    if (character === 'x' || character === 'u') {
      const digitsWanted = character === 'x' ? /[0-9a-fA-F]{2}/y : /[0-9a-fA-F]{4}/y;
      const [hex] = this.#match(digitsWanted) ?? [];
      if (hex === undefined) throw new RefusedPattern(`\\${character} wants hexadecimal digits`);
      return Number.parseInt(hex, 16);
    }
    if (/\w/.test(character)) throw new RefusedPattern(`\\${character}`);
    return character.charCodeAt(0);
  }

  #class(): CharacterTest {
    const negated = this.#takes('^');
    const tests: CharacterTest[] = [];
    const spans: [number, number][] = [];
    // A ] that comes first is an ordinary one.
    let isFirst = true;
    while (isFirst || this.#peek() !== ']') {
      isFirst = false;
      const low = this.#classMember();
      if (typeof low !== 'number') tests.push(low);
      else spans.push([low, this.#rangeEnd() ?? low]);
    }
    this.#at += 1;
    const inside: CharacterTest = (unit) => inRanges(spans, unit) || tests.some((test) => test(unit));
    return tabled(negated ? not(inside) : inside);
  }

  #rangeEnd(): number | undefined {
    if (this.#peek() !== '-' || this.#source[this.#at + 1] === ']') return undefined;
    this.#at += 1;
    const high = this.#classMember();
    if (typeof high !== 'number') throw new RefusedPattern('a range in a class ends with a class');
    return high;
  }

  #classMember(): number | CharacterTest {
    const character = this.#next();
    if (character === '[' && this.#peek() === ':') throw new RefusedPattern('[:…:] in a class');
    if (character !== '\\') return character.charCodeAt(0);
    if (this.#takes('b')) return 8;
    const escaped = this.#peek();
    if (classes[escaped] !== undefined || escaped === 'p' || escaped === 'P') return this.#escapedCharacter();
    return this.#codeOf(this.#next());
  }

  #peek(): string {
    return this.#source[this.#at] ?? '';
  }

  #next(): string {
    const character = this.#peek();
    if (character === '') throw new RefusedPattern('it breaks off');
    this.#at += 1;
    return character;
  }

  #takes(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  /** A sticky expression, matched here and stepped over. */
  #match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#source) ?? undefined;
    if (found !== undefined) this.#at += found[0].length;
    return found;
  }
}
