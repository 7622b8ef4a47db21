import { describe, expect, it } from 'vitest';
import { oneOf, stateOf, text } from './parameters.ts';

const shape = { q: text, tab: oneOf('mine', 'all') };

describe('the parameters of an address', () => {
  it('are read as the page declares them', () => {
    expect(stateOf(shape, { q: 'delete', tab: 'all' })).toEqual({ q: 'delete', tab: 'all' });
  });

  it('are as if they were not there when they are wrong, too long, or none of the page', () => {
    expect(stateOf(shape, { q: 'x'.repeat(401), tab: 'everything', other: 'x' })).toEqual({
      q: undefined,
      tab: undefined,
    });
    expect(stateOf(shape, { q: '' })).toEqual({ q: undefined, tab: undefined });
  });

  it('count once when they are given twice', () => {
    expect(stateOf(shape, { tab: ['mine', 'all'] }).tab).toBe('mine');
  });
});
