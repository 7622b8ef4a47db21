/** What every call of the protocol is served from. */
import type { EventLog } from '../event-log.ts';
import type { Budget } from '../grpc/budget.ts';
import type { SubscriptionLimit } from './subscription-limit.ts';

export type ServedLog = {
  readonly log: EventLog;
  readonly budget: Budget;
  readonly subscriptions: SubscriptionLimit;
  /** Of data, metadata and types of one append together. */
  readonly maxAppendBytes: number;
};
