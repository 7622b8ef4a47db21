import { describe, expect, it } from 'vitest';
import { networkOf, Throttle } from './throttle.ts';

describe('a throttle', () => {
  it('lets a burst through, then one a second, each key for itself', () => {
    const throttle = new Throttle();
    const taken = (now: number, key = 'a') =>
      Array.from({ length: 30 }, () => throttle.take(key, now)).filter(Boolean).length;
    expect(taken(0)).toBe(20);
    expect(taken(999)).toBe(0);
    expect(taken(3_500)).toBe(3);
    expect(taken(3_500, 'b')).toBe(20);
    expect(taken(1_000_000)).toBe(20);
  });

  it('takes all addresses of a network that belongs to one for the same', () => {
    expect(networkOf('10.1.2.3')).toBe('10.1.2.3');
    expect(networkOf('::ffff:10.1.2.3')).toBe('10.1.2.3');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe(networkOf('2001:db8:1:2::9'));
    expect(networkOf('2001:db8:1:3::9')).not.toBe(networkOf('2001:db8:1:2::9'));
  });
});
