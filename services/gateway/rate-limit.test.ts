import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { countStranger, createRateLimits, type RateLimits } from './rate-limit.ts';

const proxy = { enabled: true, burst: 200, perSecond: 100, queue: 50 };
const limited = expect.objectContaining({ code: 'RATE_LIMITED' });

const passes = (calls: number, call: () => void): number => {
  let passed = 0;
  for (let index = 0; index < calls; index += 1) {
    try {
      call();
      passed += 1;
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
    }
  }
  return passed;
};

describe('rate limits', () => {
  let limits: RateLimits;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    limits = createRateLimits(proxy);
  });
  afterEach(() => vi.useRealTimers());

  it('GW-18 lets a person call 100 times at once and 50 more every 10 s', () => {
    expect(passes(150, () => limits.person('alice'))).toBe(100);
    vi.advanceTimersByTime(10_000);
    expect(passes(150, () => limits.person('alice'))).toBe(50);
  });

  it('GW-18 counts each person alone', () => {
    passes(150, () => limits.person('alice'));
    expect(passes(100, () => limits.person('bob'))).toBe(100);
  });

  it('says how long to wait, at least a second', () => {
    passes(100, () => limits.person('alice'));
    expect(() => limits.person('alice')).toThrow(
      expect.objectContaining({ metadata: expect.objectContaining({ retryAfterSeconds: '1' }) }),
    );
  });

  it('GW-19 lets a credential send 200 at once, makes 50 wait in order and refuses the rest', async () => {
    const turns: (Promise<void> | undefined)[] = [];
    const passed = passes(300, () => turns.push(limits.credential('k')));
    expect(passed).toBe(250);
    expect(turns.filter((turn) => turn === undefined)).toHaveLength(200);
    const order: number[] = [];
    turns.slice(200).forEach((turn, index) => void turn?.then(() => order.push(index)));
    await vi.advanceTimersByTimeAsync(260);
    expect(order.length).toBeGreaterThan(20);
    expect(order.length).toBeLessThan(30);
    await vi.advanceTimersByTimeAsync(300);
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  it('GW-19 lets nobody overtake those who wait', async () => {
    passes(201, () => void limits.credential('k'));
    const late = limits.credential('k');
    expect(late).toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(1_000);
    await late;
    expect(limits.credential('k')).toBeUndefined();
  });

  it('D3 keeps credentials and people apart', () => {
    passes(300, () => void limits.credential('alice'));
    expect(passes(100, () => limits.person('alice'))).toBe(100);
    expect(limits.credential('another')).toBeUndefined();
  });

  it('refuses at once when there is no queue', () => {
    const strict = createRateLimits({ enabled: true, burst: 1, perSecond: 1, queue: 0 });
    expect(strict.credential('k')).toBeUndefined();
    expect(() => strict.credential('k')).toThrow(limited);
  });

  it('takes everything when it is switched off', () => {
    const off = createRateLimits({ ...proxy, enabled: false });
    expect(passes(1_000, () => void off.credential('k'))).toBe(1_000);
  });

  it('counts strangers by address, and only for not being recognised', () => {
    const unknown = countStranger(limits, '192.0.2.1');
    const invalid = new Refusal('INVALID_TOKEN', 'no');
    for (let index = 0; index < 100; index += 1) expect(() => unknown(invalid)).toThrow(invalid);
    expect(() => unknown(invalid)).toThrow(limited);
    const down = new Refusal('UPSTREAM_UNAVAILABLE', 'down');
    expect(() => unknown(down)).toThrow(down);
    expect(() => countStranger(limits, '192.0.2.2')(invalid)).toThrow(invalid);
  });
});
