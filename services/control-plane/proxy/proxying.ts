/**
 * Puts the proxying half of the control plane together: the trail of records, the count of refusals, the run marker with
 * what it brings back after an unclean stop, and the proxy itself. `main.ts` starts it once, when the lease is taken.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createAuditTrail } from './audit-trail.ts';
import { createDenials, type Denials } from './denials.ts';
import { createKubectlProxy, type KubectlProxy, type KubectlProxyOptions } from './kubectl-proxy.ts';
import { recover, type RecoveryOptions } from './recovery.ts';
import { openRunMarker, type RunMarker } from './run-marker.ts';

const flushMs = 1_000;
const longestRetryMs = 5_000;

export type ProxyingOptions = Omit<KubectlProxyOptions, 'trail' | 'denials' | 'use'> & {
  readonly store: EventStore;
  /** This process's epoch (D18). */
  readonly epoch: number;
  /** Folder of the control plane in the data folder, for the run marker. */
  readonly folder: string;
};

export type ProxyingParts = KubectlProxy & {
  /** Where refusals made in the gateway go (D31). */
  readonly denials: Denials;
  /** Resolves when what an unclean stop left is on record. */
  readonly recovered: Promise<void>;
};

/** Starts it. Resolves when requests can be taken; what an earlier run left is recorded meanwhile. */
export async function startProxying(options: ProxyingOptions): Promise<ProxyingParts> {
  const { store, log, now, epoch, folder } = options;
  const startedAt = now();
  const trail = createAuditTrail({ store, log, now, epoch: () => epoch });
  const marker = await openRunMarker({ folder, epoch, mark: () => trail.mark(), log });
  const denials = createDenials({ trail, now });
  const use = (clusterId: Parameters<RunMarker['use']>[0]): Promise<void> | undefined =>
    marker.knows(clusterId) ? undefined : marker.use(clusterId);
  const proxy = createKubectlProxy({ ...options, trail, denials, use });
  const stopping = new AbortController();
  const recovered = recoverInTime(
    { store, trail, epoch, previous: marker.previous, startedAt },
    { log, marker, signal: stopping.signal },
  );
  return {
    handle: (request, response) => proxy.handle(request, response),
    upgrade: (request, socket, head) => proxy.upgrade(request, socket, head),
    denials,
    recovered,
    async stop() {
      stopping.abort();
      await proxy.stop();
      denials.stop();
      await marker.stop(await trail.stop(flushMs));
    },
  };
}

type Surroundings = Pick<ProxyingOptions, 'log'> & { readonly marker: RunMarker; readonly signal: AbortSignal };

/** Tries until it is done or the process stops; the next start goes on where this one ended. */
async function recoverInTime(options: RecoveryOptions, { log, marker, signal }: Surroundings): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const written = await recover(options);
      marker.recovered();
      if (written > 0) log.warn({ written }, 'the last run did not stop cleanly; what it left open is on record');
      return;
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) {
        log.error({ err: thrown }, 'what the last run left cannot be put on record');
        return;
      }
    }
    await sleep(Math.random() * Math.min(longestRetryMs, 100 * 2 ** failures), undefined, { signal }).catch(
      () => undefined,
    );
  }
}
