import { describe, expect, it } from 'vitest';
import { calmOrder } from './calm-order.ts';

describe('a list that somebody is at', () => {
  it('does not move: new rows wait', () => {
    expect(calmOrder(['a', 'b'], ['new', 'b', 'a'], true)).toEqual({ shown: ['a', 'b'], waiting: 1 });
  });

  it('drops what is gone', () => {
    expect(calmOrder(['a', 'b'], ['b'], true)).toEqual({ shown: ['b'], waiting: 0 });
  });

  it('takes the new order once nobody is there, or when it was empty', () => {
    expect(calmOrder(['a', 'b'], ['c', 'a'], false)).toEqual({ shown: ['c', 'a'], waiting: 0 });
    expect(calmOrder([], ['c'], true)).toEqual({ shown: ['c'], waiting: 0 });
  });
});
