import { describe, expect, it } from 'vitest';
import type { Change } from './change.ts';
import { RecentChanges } from './recent-changes.ts';

const change = (position: bigint): Change => ({ position, forAll: [], forOne: undefined, forReviewers: undefined });
const positions = (changes: readonly Change[] | undefined) => changes?.map(({ position }) => position);

describe('what one has missed', () => {
  it('is every change after the last one heard of', () => {
    const recent = new RecentChanges(10n);
    for (const position of [12n, 15n, 20n]) recent.add(change(position));
    expect(positions(recent.since(10n, 20n))).toEqual([12n, 15n, 20n]);
    expect(positions(recent.since(15n, 20n))).toEqual([20n]);
    expect(positions(recent.since(20n, 20n))).toEqual([]);
  });

  it('is unknown from before there was anybody to remember it, and of a position that is yet to come', () => {
    const recent = new RecentChanges(10n);
    expect(recent.since(9n, 10n)).toBeUndefined();
    expect(recent.since(11n, 10n)).toBeUndefined();
  });

  it('is unknown after more changes than are kept, and complete from there on', () => {
    const recent = new RecentChanges(0n);
    for (let position = 1n; position <= 20_001n; position += 1n) recent.add(change(position));
    expect(recent.since(9_999n, 20_001n)).toBeUndefined();
    expect(recent.since(10_000n, 20_001n)).toHaveLength(10_001);
  });
});
