import { describe, expect, it } from 'vitest';
import { waitUntilReached } from './wait-until-reached.ts';

const goesOn = async () => undefined;

describe('waiting for a position', () => {
  it('does not wait when it is reached', async () => {
    await waitUntilReached({ position: 5n, deadlineMs: 0, reached: async () => 5n, halted: goesOn });
  });

  it('ends when it is reached', async () => {
    let at: bigint | undefined;
    const reached = async () => (at = (at ?? 0n) + 1n);
    await waitUntilReached({ position: 4n, deadlineMs: 2_000, reached, halted: goesOn });
    expect(at).toBe(4n);
  });

  it('is refused at the deadline, saying that the change is stored', async () => {
    const waiting = waitUntilReached({ position: 5n, deadlineMs: 30, reached: async () => 4n, halted: goesOn });
    await expect(waiting).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('Your change is stored'),
      metadata: { position: '5', reached: '4' },
    });
  });

  it('is refused at once when the projection has stopped, with the reason', async () => {
    const waiting = waitUntilReached({
      position: 5n,
      deadlineMs: 60_000,
      reached: async () => undefined,
      halted: async () => 'the fact at position 4 cannot be applied',
    });
    await expect(waiting).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('position 4'),
    });
  });
});
