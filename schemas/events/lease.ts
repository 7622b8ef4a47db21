/**
 * The lease of the one active control plane (D18): stream `lease-control_plane`. A fact whose epoch is lower than the newest
 * take-over before it in the log was written by somebody who had already lost the lease: policy and projections treat
 * it as void, and the audit shows it marked.
 */
import type { FactMetadata } from './envelope.ts';

export type LeaseFact = {
  readonly type: 'control_plane.took_over';
  readonly data: { readonly epoch: number; readonly holder: string };
};

export const leaseStream = 'lease-control_plane';
/** Signs of the holder while somebody waits, and of who waits. Each keeps its newest only (`$maxCount` 1). */
export const leaseHeartbeatStream = 'lease_heartbeat-control_plane';
export const leaseWaitingStream = 'lease_waiting-control_plane';

/** No fact of the product: no fold reads it. */
export type LeaseSign = {
  readonly type: 'control_plane.alive' | 'control_plane.waiting';
  readonly data: { readonly holder: string };
};

type Seen = {
  readonly type: string;
  readonly data: object;
  readonly metadata: Pick<FactMetadata, 'epoch'>;
  readonly position: bigint;
};

/** Follows the take-overs in log order and says which facts are void. Feed it every fact in order. */
export class EpochLedger {
  /** Epoch of the newest take-over seen, 0 before the first. */
  epoch = 0;

  /** True when the fact is void. Takes note of a take-over itself; one that does not raise the epoch is void. */
  isVoid(fact: Seen): boolean {
    if (fact.type === 'control_plane.took_over') {
      const { epoch } = fact.data as LeaseFact['data'];
      if (epoch <= this.epoch) return true;
      this.epoch = epoch;
      return false;
    }
    return fact.metadata.epoch < this.epoch;
  }
}
