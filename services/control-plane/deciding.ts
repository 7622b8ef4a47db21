/**
 * Puts the deciding half of the control plane together, in the one order in which it is safe: the lease first, then the
 * fold of everything written before (its beginning from a snapshot, when there is a good one), then whoever writes. When the
 * lease is lost nothing is decided from that moment on (D18).
 */
import { randomUUID } from 'node:crypto';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { createCommands } from './commands.ts';
import { giveBackMemory } from './give-back-memory.ts';
import { takeLease } from './lease.ts';
import { openSnapshots } from './policy-snapshots.ts';
import { startPolicy, type PolicyQueries } from './policy.ts';
import type { Commands } from './ports.ts';
import { startReactor } from './reactor.ts';

export type DecidingOptions = {
  readonly eventStore: EventStore;
  /** Id of the holder of the data folder. */
  readonly holder: string;
  readonly log: Log;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  /** Told why, when another control plane is active, before this one waits for it. */
  readonly onWaiting?: (sentence: string) => Promise<void>;
  /** Where the fold's snapshot lies; without it none is kept. */
  readonly snapshotFolder?: string;
};

export type Deciding = Running & {
  readonly epoch: number;
  readonly policy: PolicyQueries;
  readonly commands: Commands;
  /** Resolves with a sentence when another control plane has taken over. The process must end then. */
  readonly lost: Promise<string>;
};

/** Takes the lease and folds the log; resolves when commands can be run. Waits for the log as long as it takes. */
export async function startDeciding(options: DecidingOptions): Promise<Deciding> {
  const { now } = options;
  const stopping = new AbortController();
  const shared = { ...options, signal: stopping.signal };
  const lease = await takeLease(shared);
  const snapshots = await openSnapshots({ ...options, logId: lease.logId });
  const policy = await startPolicy({
    ...shared,
    lease,
    now: () => now().getTime(),
    snapshot: snapshots.found,
  });
  giveBackMemory();
  const keeping = snapshots.keep(policy);
  const commands = createCommands({ ...shared, policy, epoch: lease.epoch, randomId: randomUUID });
  const reactor = startReactor({ ...options, commands, policy });
  return {
    epoch: lease.epoch,
    lost: lease.lost,
    policy,
    commands,
    async stop() {
      await reactor.stop();
      stopping.abort();
      await policy.stop();
      await keeping.stop();
      await lease.stop();
    },
  };
}
