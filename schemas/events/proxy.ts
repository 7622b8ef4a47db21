/**
 * Facts of proxied requests: streams `proxy-{clusterId}-{yyyymmdd}` (UTC day on which the request started) and
 * `proxy-unknown-{yyyymmdd}` for refusals without an existing cluster, and `proxy_days-{clusterId}`. They hold no body of a Secret, a token or a
 * stream (D11), and only what was used for the decision (D27). Never mixed with the policy streams.
 */
import type { ClusterId, CredentialId, RoleId, UserId } from '../ids.ts';

/** What the path says of a request, parsed; `recognised: false` = treated as strict (D12). */
export type KubernetesRequest = {
  readonly method: string;
  /** Path and query as sent, cut to 1,024 characters, values of `token` and `access_token` removed. */
  readonly path: string;
  readonly verb: string;
  readonly group: string | null;
  readonly version: string | null;
  readonly resource: string | null;
  readonly subresource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly recognised: boolean;
  /** Of exec and attach, the container that was named. */
  readonly container?: string;
  /** Of exec, the command, word by word; cut at 1,024 characters in all, which an ellipsis shows. */
  readonly command?: readonly string[];
};

/** Why the request was allowed, by id and revision, as used for the decision. */
export type DecisionBasis = {
  readonly userId: UserId;
  readonly userRevision: number;
  readonly roleId: RoleId;
  readonly roleRevision: number;
  /** The access request whose grant was used; null for a static assignment. */
  readonly accessRequestId: string | null;
  readonly credentialId: CredentialId;
};

type Of = { readonly requestId: string; readonly clusterId: ClusterId };

/** How a request ended, as far as the control plane knows. */
export type ProxyOutcome = {
  readonly status: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly durationMs: number;
  /** `completed`, or what cut it short. */
  readonly end: 'completed' | 'client_closed' | 'revoked' | 'expired' | 'agent_lost' | 'timeout' | 'failed' | 'stalled';
  readonly errorCode: string | null;
};

/**
 * The other reads that a record stands for: same person, credential, decision, path, source and client, all ended well
 * within a few seconds. The record's own outcome then has the sum of their bytes and the longest of their durations.
 */
export type RepeatedReads = {
  /** Ids of the others, as they reached the cluster's own audit log (D19). The record's own id is not among them. */
  readonly requestIds: readonly string[];
  /** When the last of them ended. */
  readonly until: string;
};

export type ProxyFact =
  | {
      readonly type: 'proxy.request';
      readonly data: Of &
        DecisionBasis & { readonly request: KubernetesRequest; readonly strict: boolean } & (
          | { readonly phase: 'started'; readonly startedAt: string }
          | {
              readonly phase: 'ended';
              readonly startedAt: string;
              readonly outcome: ProxyOutcome;
              readonly repeats?: RepeatedReads;
            }
          | { readonly phase: 'outcome_unknown'; readonly startedAt: string }
        );
    }
  | {
      readonly type: 'proxy.access_denied';
      readonly data: {
        readonly requestId: string;
        readonly clusterId: ClusterId | null;
        readonly userId: UserId | null;
        readonly credentialId: CredentialId | null;
        readonly errorCode: string;
        readonly status: number;
        readonly method: string;
        readonly path: string;
        /** More than 1 when refusals of one second and reason were counted together (D31). */
        readonly count: number;
      };
    }
  | {
      readonly type: 'proxy.gap';
      readonly data: {
        readonly clusterId: ClusterId | null;
        readonly from: string;
        readonly to: string;
        readonly reason: string;
      };
    }
  | {
      readonly type: 'proxy.day_closed';
      readonly data: {
        readonly clusterId: ClusterId | null;
        readonly day: string;
        readonly count: number;
        readonly firstPosition: string;
        readonly lastPosition: string;
        readonly sha256: string;
      };
    }
  | {
      /** The day's records were taken out of the log, after they were found to be those that were closed. */
      readonly type: 'proxy.day_deleted';
      readonly data: {
        readonly clusterId: ClusterId | null;
        readonly day: string;
        readonly count: number;
        readonly sha256: string;
        /** How long records were kept when it was done. */
        readonly keepSeconds: number;
      };
    };

export type DayFact = Extract<ProxyFact, { type: 'proxy.day_closed' | 'proxy.day_deleted' }>;

/** The UTC day of an instant as in stream names: `20261125`. */
export function utcDay(instant: Date): string {
  return instant.toISOString().slice(0, 10).replaceAll('-', '');
}

/** When the UTC day of a stream name was over, in milliseconds since the epoch. */
export const endOfDay = (day: string): number =>
  Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6, 8)) + 1);

export const proxyStream = (clusterId: ClusterId | null, day: string): string =>
  `proxy-${clusterId ?? 'unknown'}-${day}`;

/** What was closed and deleted of a cluster's days: a stream of its own, because it is kept for ever (D26). */
export const proxyDaysStream = (clusterId: ClusterId | null): string => `proxy_days-${clusterId ?? 'unknown'}`;
