import { describe, expect, it } from 'vitest';
import { planRound, processNames } from './plan.ts';
import { createRandom } from './random.ts';

const plans = (seed: number, rounds = 250) => {
  const random = createRandom(seed);
  return Array.from({ length: rounds }, () => planRound(random));
};

describe('the plan of kills', () => {
  it('is the same for the same seed and another for another', () => {
    expect(plans(7)).toEqual(plans(7));
    expect(plans(7)).not.toEqual(plans(8));
  });

  it('kills each part alone, all at once, and some while they recover', () => {
    const kills = plans(1).flat();
    for (const name of processNames)
      expect(kills.some(({ victims }) => victims.length === 1 && victims[0] === name)).toBe(true);
    expect(kills.some(({ victims }) => victims.length === processNames.length)).toBe(true);
    expect(plans(1).some((round) => round.length === 2)).toBe(true);
  });
});

describe('random numbers of a seed', () => {
  it('fall evenly enough into ten bins', () => {
    const random = createRandom(3);
    const bins = Array.from({ length: 10 }, () => 0);
    for (let n = 0; n < 10_000; n += 1) bins[random.between(0, 9)]! += 1;
    expect(Math.min(...bins)).toBeGreaterThan(850);
    expect(Math.max(...bins)).toBeLessThan(1_150);
  });

  it('shuffle without losing any', () => {
    expect(new Set(createRandom(4).shuffled([1, 2, 3, 4, 5]))).toEqual(new Set([1, 2, 3, 4, 5]));
  });
});
