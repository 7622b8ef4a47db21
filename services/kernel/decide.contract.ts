/** What deciding on a stream promises, also when others write to it at the same time. */
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import { type Counted, counted, newStream, numbersOf } from './event-store-contract-facts.ts';
import type { EventStore } from './event-store-port.ts';

export function describeDeciding(store: () => EventStore): void {
  describe('deciding on a stream', () => {
    const add = (stream: string, by: number, on: EventStore = store()) =>
      decide<number, Counted>({
        store: on,
        stream,
        initial: 0,
        evolve: (sum, { data }) => sum + data.n,
        decide: (sum) => (sum + by > 10 ? [] : [counted(by)]),
      });
    /** The same log, but somebody else is faster `times` times. */
    const contended = (stream: string, times: number): EventStore => {
      let left = times;
      const append: EventStore['append'] = async (name, expected, facts) => {
        if (left > 0) {
          left -= 1;
          await store().append(stream, expected, [counted(1)]);
        }
        return store().append(name, expected, facts);
      };
      return { ...bound(store()), append };
    };

    it('folds what is there, appends what follows and answers the new state', async () => {
      const stream = newStream();
      expect(await add(stream, 4)).toMatchObject({ state: 4, revision: 0, position: expect.any(BigInt) });
      expect(await add(stream, 5)).toMatchObject({ state: 9, revision: 1 });
    });

    it('appends nothing when nothing follows', async () => {
      const stream = newStream();
      await add(stream, 9);
      expect(await add(stream, 5)).toEqual({ state: 9, revision: 0, position: undefined, facts: [] });
    });

    it('decides anew on what somebody faster wrote', async () => {
      const stream = newStream();
      expect(await add(stream, 4, contended(stream, 2))).toMatchObject({ state: 6, revision: 2 });
      expect(numbersOf((await store().load(stream)).facts)).toEqual([1, 1, 4]);
    });

    it('gives up after three tries with a refusal that says so', async () => {
      const stream = newStream();
      await expect(add(stream, 4, contended(stream, 3))).rejects.toMatchObject({ name: 'Refusal', code: 'CONFLICT' });
    });
  });
}

/** The methods of a store as own properties, so that one can be replaced. */
function bound(store: EventStore): EventStore {
  return {
    load: (stream, from) => store.load(stream, from),
    append: (stream, expected, facts) => store.append(stream, expected, facts),
    subscribe: (options) => store.subscribe(options),
    readBackwards: (options) => store.readBackwards(options),
    ping: (deadlineMs) => store.ping(deadlineMs),
    close: () => store.close(),
  };
}
