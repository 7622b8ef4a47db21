import { describe, expect, it } from 'vitest';
import { KeyedLocks } from './keyed-locks.ts';

const long = 60_000;

describe('work with one key', () => {
  it('runs one after the other, in the order in which it came', async () => {
    const locks = new KeyedLocks();
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      const release = await locks.acquire(['key'], long);
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      release();
    };
    await Promise.all(['a', 'b', 'c'].map(work));
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('does not wait for work with another key', async () => {
    const locks = new KeyedLocks();
    await locks.acquire(['one'], long);
    expect(await locks.acquire(['other'], long)).toBeTypeOf('function');
  });

  it('waits no longer than its deadline, and gives back what it had taken by then', async () => {
    const locks = new KeyedLocks();
    await locks.acquire(['second'], long);
    await expect(locks.acquire(['first', 'second'], 5)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await locks.acquire(['first'], 5)).toBeTypeOf('function');
  });

  it('goes on past whoever gave up waiting', async () => {
    const locks = new KeyedLocks();
    const release = await locks.acquire(['key'], long);
    const impatient = locks.acquire(['key'], 5);
    const patient = locks.acquire(['key'], long);
    await expect(impatient).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    release();
    (await patient)();
    expect(await locks.acquire(['key'], 5)).toBeTypeOf('function');
  });

  it('queues 1,000 deep and no deeper', async () => {
    const locks = new KeyedLocks();
    await locks.acquire(['key'], long);
    const waiting = Array.from({ length: 1_000 }, () => locks.acquire(['key'], 50).catch(() => 'gave up'));
    await expect(locks.acquire(['key'], long)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['gave up']));
  });
});
