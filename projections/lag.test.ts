import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { LagWatch, secondsBehind } from './lag.ts';

/** A log that ends where it is told to. */
class End {
  position: bigint | undefined;
  isGone = false;
  asked = 0;
  readonly readBackwards = async (): Promise<readonly Recorded[]> => {
    this.asked += 1;
    if (this.isGone) throw new Error('gone');
    return this.position === undefined ? [] : [{ position: this.position } as Recorded];
  };
}
const answered = () => new Promise((resolve) => setImmediate(resolve));

describe('the lag', () => {
  it('is unknown until the log has answered, and then nothing when all is applied', async () => {
    const end = new End();
    end.position = 70n;
    const watch = new LagWatch(end);
    expect(watch.at(70n, 1_000)).toEqual({ head: undefined, events: 0, currentAt: undefined });
    await answered();
    expect(watch.at(70n, 1_500)).toEqual({ head: 70n, events: 0, currentAt: 1_000 });
    expect(watch.at(90n, 1_500).events).toBe(0);
  });

  it('counts what is missing, since when it is', async () => {
    const end = new End();
    end.position = 70n;
    const watch = new LagWatch(end);
    watch.at(70n, 1_000);
    await answered();
    watch.at(70n, 1_100);
    end.position = 95n;
    watch.at(70n, 3_000);
    await answered();
    expect(watch.at(70n, 3_100)).toEqual({ head: 95n, events: 25, currentAt: 1_000 });
    expect(watch.at(undefined, 3_100).events).toBe(96);
    expect(watch.at(95n, 3_200)).toEqual({ head: 95n, events: 0, currentAt: 3_000 });
  });

  it('of an empty log is nothing', async () => {
    const watch = new LagWatch(new End());
    watch.at(undefined, 0);
    await answered();
    expect(watch.at(undefined, 10)).toEqual({ head: undefined, events: 0, currentAt: 0 });
  });

  it('grows old while the log does not answer, and asks every two seconds', async () => {
    const end = new End();
    end.position = 5n;
    const watch = new LagWatch(end);
    watch.at(5n, 0);
    await answered();
    end.isGone = true;
    for (let now = 100; now <= 9_000; now += 100) {
      watch.at(5n, now);
      await answered();
    }
    expect(watch.at(5n, 9_000).currentAt).toBe(0);
    expect(end.asked).toBe(5);
  });

  it('is told every two seconds', () => {
    const watch = new LagWatch(new End());
    const lag = { head: 7n, events: 3, currentAt: 40 };
    expect(watch.due(lag, 100)).toMatchObject([{ document: { at: 100, currentAt: 40, events: 3 } }]);
    expect(watch.due(lag, 2_000)).toEqual([]);
    expect(watch.due(lag, 2_100)).toHaveLength(1);
  });
});

describe('the seconds behind', () => {
  it.each([
    {
      what: 'none while a young sign of life says so',
      at: 10_000,
      currentAt: 9_000,
      events: 0,
      now: 15_000,
      seconds: 0,
    },
    {
      what: 'all since it was whole when some are missing',
      at: 10_000,
      currentAt: 4_000,
      events: 9,
      now: 10_500,
      seconds: 6,
    },
    {
      what: 'all since it was whole when the sign is old',
      at: 10_000,
      currentAt: 9_000,
      events: 0,
      now: 69_900,
      seconds: 60,
    },
    {
      what: 'never below zero, whatever the clocks say',
      at: 10_000,
      currentAt: 9_000,
      events: 2,
      now: 1_000,
      seconds: 0,
    },
    {
      what: 'unknown when it never was whole',
      at: 10_000,
      currentAt: null,
      events: 2,
      now: 11_000,
      seconds: undefined,
    },
  ])('are $what', ({ at, currentAt, events, now, seconds }) => {
    expect(secondsBehind({ at, currentAt, events }, now)).toBe(seconds);
  });
});
