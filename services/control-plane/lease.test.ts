import { afterEach, describe, expect, it } from 'vitest';
import type { NewFact, Recorded, Revision } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { leaseStream } from '@clustral/schemas/events/lease.ts';
import { RevisionConflict, type EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { takeLease, type Lease } from './lease.ts';

/** One stream in memory, which can be out of reach. */
class OneStream implements Pick<EventStore, 'load' | 'append'> {
  readonly facts: Recorded[] = [];
  isAway = false;
  refused = 0;

  load<F>(_stream: string, from = 0): Promise<{ facts: readonly F[]; revision: Revision }> {
    if (this.isAway) {
      this.refused += 1;
      return Promise.reject(new Refusal('STORE_UNAVAILABLE', 'away'));
    }
    const revision = this.facts.length === 0 ? ('none' as const) : this.facts.length - 1;
    return Promise.resolve({ facts: this.facts.slice(from) as F[], revision });
  }

  append(
    stream: string,
    expected: Revision,
    facts: readonly NewFact[],
  ): Promise<{ revision: number; position: bigint }> {
    const actual = this.facts.length === 0 ? 'none' : this.facts.length - 1;
    if (actual !== expected) return Promise.reject(new RevisionConflict({ stream, expected, actual }));
    for (const fact of facts) {
      const revision = this.facts.length;
      this.facts.push({ ...fact, stream, revision, position: BigInt(revision), recordedAt: new Date(0) });
    }
    const revision = this.facts.length - 1;
    return Promise.resolve({ revision, position: BigInt(revision) });
  }
}

const leases: Lease[] = [];
let clockMs = 0;
async function take(stream: OneStream, holder = 'a', signal = new AbortController().signal): Promise<Lease> {
  const options = {
    eventStore: stream as unknown as EventStore,
    holder,
    log: createLog('test', 'silent'),
    signal,
    readEveryMs: 5,
  };
  const lease = await takeLease({ ...options, monotonic: () => clockMs });
  leases.push(lease);
  return lease;
}

afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.stop()));
  clockMs = 0;
});

describe('taking the lease', () => {
  it('raises the epoch by one each time', async () => {
    const stream = new OneStream();
    expect((await take(stream)).epoch).toBe(1);
    expect((await take(stream)).epoch).toBe(2);
    expect(stream.facts.map(({ data, metadata }) => [data, metadata.epoch])).toEqual([
      [{ epoch: 1, holder: 'a' }, 1],
      [{ epoch: 2, holder: 'a' }, 2],
    ]);
  });

  it('never gives one epoch to two who take it at the same time', async () => {
    const stream = new OneStream();
    const both = await Promise.all([take(stream), take(stream)]);
    expect(new Set(both.map(({ epoch }) => epoch))).toEqual(new Set([1, 2]));
  });

  it('waits for a log that is not there yet', async () => {
    const stream = new OneStream();
    stream.isAway = true;
    const taking = take(stream);
    stream.isAway = false;
    expect((await taking).epoch).toBe(1);
  });

  it('stops waiting when the process does', async () => {
    const stream = new OneStream();
    stream.isAway = true;
    const stopping = new AbortController();
    const taking = take(stream, 'a', stopping.signal);
    stopping.abort();
    await expect(taking).rejects.toThrow();
  });
});

describe('keeping the lease', () => {
  it('is fresh for 3 seconds after it was last seen to be the newest', async () => {
    const lease = await take(new OneStream());
    clockMs = 3_000;
    expect(lease.isFresh()).toBe(true);
    clockMs = 3_001;
    expect(lease.isFresh()).toBe(false);
  });

  it('is not confirmed by a log that does not answer', async () => {
    const stream = new OneStream();
    const lease = await take(stream);
    stream.isAway = true;
    clockMs = 3_001;
    const refused = stream.refused;
    await until(() => stream.refused > refused + 1);
    expect(lease.isFresh()).toBe(false);
    stream.isAway = false;
    await until(() => lease.isFresh());
  });

  it('is lost for good when another control plane has taken over', async () => {
    const stream = new OneStream();
    const mine = await take(stream);
    const [first] = stream.facts;
    if (!first) throw new Error('nothing was written');
    await stream.append(leaseStream, 0, [{ ...first, data: { epoch: 2, holder: 'b' } }]);
    expect(await mine.lost).toBe('Another control plane (b) took over with epoch 2; this one had 1.');
    expect(mine.isFresh()).toBe(false);
  });
});

/** Looks until it holds, for 3 s at most. */
async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 3_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not come true in 3 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
