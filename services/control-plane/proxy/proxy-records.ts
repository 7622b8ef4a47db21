/**
 * Facts of proxied requests, made from what the proxy knows. Ids follow from the server's own request id, the phase and the
 * writer's epoch (D18, D28): writing the same record again never makes a second one, and nothing that a client sent can
 * make two requests one.
 */
import type { Actor, FactMetadata, NewFact } from '@clustral/schemas/events/envelope.ts';
import { storedOrigin } from '@clustral/schemas/events/person.ts';
import {
  proxyStream,
  utcDay,
  type DecisionBasis,
  type KubernetesRequest,
  type ProxyFact,
  type ProxyOutcome,
  type RepeatedReads,
} from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, RequestId, UserId } from '@clustral/schemas/ids.ts';
import { derivedUuid } from '../derived-id.ts';

/** Where a request came from and what it is called elsewhere (D27). */
export type RequestOrigin = {
  readonly correlationId: string;
  readonly traceparent?: string | undefined;
  readonly sourceAddress?: string | undefined;
  readonly userAgent?: string | undefined;
};

/** A request that was allowed. */
export type RequestRecord = {
  readonly requestId: RequestId;
  readonly clusterId: ClusterId;
  readonly basis: DecisionBasis;
  readonly request: KubernetesRequest;
  readonly strict: boolean;
  readonly startedAt: Date;
  readonly origin: RequestOrigin;
};

/** A request that was refused. `clusterId` is null unless that cluster exists. */
export type Denial = {
  readonly requestId: RequestId;
  readonly clusterId: ClusterId | null;
  readonly userId: UserId | null;
  readonly credentialId: CredentialId | null;
  readonly errorCode: string;
  readonly status: number;
  readonly method: string;
  readonly path: string;
  readonly count: number;
  readonly at: Date;
  readonly origin: RequestOrigin;
};

/** A stretch of time for which records may be missing. `clusterId` null = of no particular cluster. */
export type Gap = {
  readonly clusterId: ClusterId | null;
  readonly from: Date;
  readonly to: Date;
  readonly reason: string;
};

/** A fact and the day stream it belongs to. */
export type ProxyRecord = { readonly stream: string; readonly fact: NewFact<ProxyFact> };

const service: Actor = { kind: 'service', id: 'control-plane' };

/** All records of a request go to the stream of the day it started on (D26). */
export const streamOf = ({ clusterId, startedAt }: Pick<RequestRecord, 'clusterId' | 'startedAt'>): string =>
  proxyStream(clusterId, utcDay(startedAt));

/** Phase `started`. */
export function startedRecord(record: RequestRecord, epoch: number): ProxyRecord {
  return requestRecord(record, { phase: 'started' }, epoch);
}

/** How a request ended, and which others its record stands for. */
export type Ending = { readonly outcome: ProxyOutcome; readonly repeats?: RepeatedReads };

/** Phase `ended`. */
export function endedRecord(record: RequestRecord, ending: Ending, epoch: number): ProxyRecord {
  return requestRecord(record, { phase: 'ended', ...ending }, epoch);
}

type Phase = { readonly phase: 'started' } | ({ readonly phase: 'ended' } & Ending);

function requestRecord(record: RequestRecord, phase: Phase, epoch: number): ProxyRecord {
  const { requestId, clusterId, basis, request, strict, origin } = record;
  const startedAt = record.startedAt.toISOString();
  return {
    stream: streamOf(record),
    fact: {
      id: recordId(epoch, requestId, phase.phase),
      type: 'proxy.request',
      data: { requestId, clusterId, ...basis, request, strict, startedAt, ...phase },
      metadata: metadataOf({ actor: { kind: 'user', id: basis.userId }, epoch, requestId, origin }),
    },
  };
}

type StartedFact = Extract<ProxyFact, { type: 'proxy.request' }>;

/** Phase `outcome_unknown` for a `started` record that a crash left without an end; as its metadata, that record's. */
export function unknownRecord(
  started: Pick<NewFact<StartedFact>, 'id' | 'data' | 'metadata'> & { readonly stream: string },
  epoch: number,
): ProxyRecord {
  const { requestId, clusterId, request, strict, startedAt } = started.data;
  const { userId, userRevision, roleId, roleRevision, accessRequestId, credentialId } = started.data;
  const basis = { userId, userRevision, roleId, roleRevision, accessRequestId, credentialId };
  return {
    stream: started.stream,
    fact: {
      id: recordId(epoch, requestId, 'outcome_unknown'),
      type: 'proxy.request',
      data: { requestId, clusterId, ...basis, request, strict, startedAt, phase: 'outcome_unknown' },
      metadata: { ...started.metadata, $causationId: started.id, epoch },
    },
  };
}

/** `proxy.access_denied`. */
export function deniedRecord(denial: Denial, epoch: number): ProxyRecord {
  const { requestId, origin, at, ...said } = denial;
  const actor: Actor = denial.userId === null ? service : { kind: 'user', id: denial.userId };
  return {
    stream: proxyStream(denial.clusterId, utcDay(at)),
    fact: {
      id: recordId(epoch, requestId, 'denied'),
      type: 'proxy.access_denied',
      data: { requestId, ...said },
      metadata: metadataOf({ actor, epoch, requestId, origin }),
    },
  };
}

/** `proxy.gap`, in the stream of the day it ends on. */
export function gapRecord(gap: Gap, epoch: number): ProxyRecord {
  const from = gap.from.toISOString();
  const to = gap.to.toISOString();
  const id = recordId(epoch, `${gap.clusterId ?? 'unknown'} ${from} ${to}`, gap.reason);
  return {
    stream: proxyStream(gap.clusterId, utcDay(gap.to)),
    fact: {
      id,
      type: 'proxy.gap',
      data: { clusterId: gap.clusterId, from, to, reason: gap.reason },
      metadata: { schemaVersion: 1, actor: service, epoch, $correlationId: id },
    },
  };
}

type MetadataSource = {
  readonly actor: Actor;
  readonly epoch: number;
  readonly requestId: RequestId;
  readonly origin: RequestOrigin;
};

function metadataOf({ actor, epoch, requestId, origin }: MetadataSource): FactMetadata {
  return {
    schemaVersion: 1,
    actor,
    epoch,
    $correlationId: origin.correlationId,
    requestId,
    ...storedOrigin(origin),
    ...(origin.traceparent === undefined ? {} : { traceparent: origin.traceparent }),
  };
}

/** The id of a record: it follows from the writer's epoch, what it is about, and the phase. */
export const recordId = (epoch: number, subject: string, phase: string): string =>
  derivedUuid('proxy record', String(epoch), subject, phase);
