import { describe, expect, it } from 'vitest';
import { bestMatches, matchScore } from './match.ts';

const best = (query: string, names: readonly string[]) =>
  bestMatches(names, query, { nameOf: (name) => name, limit: 10 });

describe('typing into the palette', () => {
  it('finds names that hold the letters in order, and no others', () => {
    expect(best('pde', ['prod-eu', 'staging', 'demo'])).toEqual(['prod-eu']);
    expect(matchScore('ue', 'prod-eu')).toBeUndefined();
  });

  it('puts the beginning of a word before the middle of one', () => {
    expect(best('ac', ['back office', 'Go to access requests'])[0]).toBe('Go to access requests');
  });

  it('puts letters that stand together first, and of two alike the shorter', () => {
    expect(best('prod', ['p-r-o-d', 'prod-eu-west', 'prod'])).toEqual(['prod', 'prod-eu-west', 'p-r-o-d']);
  });

  it('keeps the order while nothing is typed', () => {
    expect(best('', ['b', 'a'])).toEqual(['b', 'a']);
  });
});
