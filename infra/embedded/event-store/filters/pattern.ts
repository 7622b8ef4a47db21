/**
 * A regular expression that cannot be made to run away. It is compiled to a list of steps, and a text is matched by following
 * all ways through the list at once, one character at a time: at most (length of the text + 1) × (number of steps) moves,
 * whatever the expression and whatever the text. There is no way back, so there is nothing to explode.
 *
 * After Ken Thompson, "Regular Expression Search Algorithm", Communications of the ACM 11 (6), 1968.
 */
import { parsePattern, RefusedPattern, type Assertion, type PatternNode } from './pattern-parser.ts';
import { words, type CharacterTest } from './character-tests.ts';

const maxSteps = 500;

type Step =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'split'; to: readonly number[] }
  | { readonly kind: 'found' };

export class Pattern {
  readonly #steps: readonly Step[];
  /** Moves made by the last match; for tests of the bound. */
  moves = 0;

  /** Throws `RefusedPattern` when the expression is not served. */
  constructor(source: string) {
    const steps: Step[] = [];
    compile(parsePattern(source), steps);
    add(steps, { kind: 'found' });
    this.#steps = steps;
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** True when the text holds a match anywhere. */
  test(text: string): boolean {
    this.moves = 0;
    let current = new Ways(this.#steps.length);
    let following = new Ways(this.#steps.length);
    for (let at = 0; at <= text.length; at += 1) {
      if (this.#follow(current, 0, { text, at })) return true;
      const unit = text.charCodeAt(at);
      for (const index of current.steps) {
        const step = this.#steps[index];
        this.moves += 1;
        if (at >= text.length || step?.kind !== 'character' || !step.test(unit)) continue;
        if (this.#follow(following, index + 1, { text, at: at + 1 })) return true;
      }
      [current, following] = [following, current];
      following.clear();
    }
    return false;
  }

  /** Adds a step and all that follow from it without a character. True when the end was reached. */
  #follow(ways: Ways, from: number, place: Place): boolean {
    const waiting = [from];
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (!ways.enter(index)) continue;
      this.moves += 1;
      const step = this.#steps[index];
      if (step === undefined || step.kind === 'character') continue;
      if (step.kind === 'found') return true;
      if (step.kind === 'split') waiting.push(...step.to);
      else if (holds(step.assertion, place)) waiting.push(index + 1);
    }
    return false;
  }
}

type Place = { readonly text: string; readonly at: number };

/** A set of steps in the order in which they were entered, cleared in constant time. */
class Ways {
  steps: number[] = [];
  readonly #entered: Uint8Array;

  constructor(size: number) {
    this.#entered = new Uint8Array(size);
  }

  enter(index: number): boolean {
    if (this.#entered[index] === 1) return false;
    this.#entered[index] = 1;
    this.steps.push(index);
    return true;
  }

  clear(): void {
    for (const index of this.steps) this.#entered[index] = 0;
    this.steps = [];
  }
}

function holds(assertion: Assertion, { text, at }: Place): boolean {
  switch (assertion) {
    case 'start':
      return at === 0;
    case 'end':
      return at === text.length;
    case 'endOrNewline':
      return at === text.length || (at === text.length - 1 && text[at] === '\n');
    case 'boundary':
      return isWord(text, at - 1) !== isWord(text, at);
    case 'noBoundary':
      return isWord(text, at - 1) === isWord(text, at);
    default:
      return assertion satisfies never;
  }
}

function isWord(text: string, at: number): boolean {
  return at >= 0 && at < text.length && words(text.charCodeAt(at));
}

function add(steps: Step[], step: Step): number {
  if (steps.length >= maxSteps) throw new RefusedPattern(`it needs more than ${maxSteps} steps`);
  return steps.push(step) - 1;
}

function compile(node: PatternNode, steps: Step[]): void {
  switch (node.kind) {
    case 'character':
    case 'assertion':
      add(steps, node);
      return;
    case 'sequence':
      for (const part of node.parts) compile(part, steps);
      return;
    case 'choice':
      compileChoice(node.options, steps);
      return;
    case 'repeat':
      compileRepeat(node, steps);
      return;
    default:
      node satisfies never;
  }
}

function compileChoice(options: readonly PatternNode[], steps: Step[]): void {
  const split = addSplit(steps);
  const begins: number[] = [];
  const exits: ReturnType<typeof addSplit>[] = [];
  for (const option of options) {
    begins.push(steps.length);
    compile(option, steps);
    exits.push(addSplit(steps));
  }
  split.to = begins;
  for (const exit of exits) exit.to = [steps.length];
}

function compileRepeat(node: Extract<PatternNode, { kind: 'repeat' }>, steps: Step[]): void {
  for (let time = 0; time < node.least; time += 1) compile(node.part, steps);
  if (node.most === Infinity) {
    const begin = steps.length;
    const split = addSplit(steps);
    compile(node.part, steps);
    addSplit(steps).to = [begin];
    split.to = [begin + 1, steps.length];
    return;
  }
  const splits = Array.from({ length: node.most - node.least }, () => {
    const begin = steps.length;
    const split = addSplit(steps);
    compile(node.part, steps);
    return { split, begin };
  });
  for (const { split, begin } of splits) split.to = [begin + 1, steps.length];
}

function addSplit(steps: Step[]): Extract<Step, { kind: 'split' }> {
  const step: Extract<Step, { kind: 'split' }> = { kind: 'split', to: [] };
  add(steps, step);
  return step;
}
