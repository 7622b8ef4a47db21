/**
 * Which events a reader of everything wants: those whose stream's name or whose type begins with one of some prefixes, or
 * matches a regular expression. The verdict depends on the name alone, so it is found once per name and then remembered under
 * the name's number.
 */
import { GenerationCache } from '../generation-cache.ts';
import type { Names } from '../rows.ts';
import { Pattern } from './pattern.ts';

const verdictsPerGeneration = 5_000;

export class EventFilter {
  readonly on: 'stream' | 'type';
  readonly #matches: (name: string) => boolean;
  readonly #verdicts = new GenerationCache<number, boolean>(verdictsPerGeneration);

  constructor(on: 'stream' | 'type', matches: (name: string) => boolean) {
    this.on = on;
    this.#matches = matches;
  }

  /** `id` is the number of a stream or of a type, whichever it is on. */
  selects(id: number, names: Names): boolean {
    const known = this.#verdicts.get(id);
    if (known !== undefined) return known;
    const verdict = this.#matches(this.on === 'stream' ? names.streamName(id) : names.typeName(id));
    this.#verdicts.set(id, verdict);
    return verdict;
  }
}

export function prefixFilter(on: 'stream' | 'type', prefixes: readonly string[]): EventFilter {
  return new EventFilter(on, (name) => prefixes.some((prefix) => name.startsWith(prefix)));
}

/** Throws `RefusedPattern`. */
export function patternFilter(on: 'stream' | 'type', expression: string): EventFilter {
  const pattern = new Pattern(expression);
  return new EventFilter(on, (name) => pattern.test(name));
}
