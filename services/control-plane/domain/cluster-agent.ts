/**
 * What a cluster's agent may ask: to be enrolled once for a bootstrap token, to have its certificate and token renewed, to be
 * known as connected. Who asks has proved possession of the key already; here is decided whether that identity still counts.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { AgentCertificate, ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { ClusterState, RegisteredCluster } from './cluster.ts';
import { isOver, type HeldCertificate } from './cluster-certificates.ts';

/** How long a lost enrolment answer is given again to the same key (F-06, TN-07). */
const enrolmentReplayMs = 600_000;
/** How long a lost renewal answer is given again to the same key (D36). */
const renewalReplayMs = 86_400_000;

const mostRenewalsPerDay = 8;

/** The identity an agent came with: its certificate, and the version in its token. */
export type PresentedIdentity = {
  readonly clusterId: ClusterId;
  readonly fingerprint: string;
  readonly tokenVersion: number;
};

export type EnrolAgent = {
  readonly clusterId: ClusterId;
  /** SHA-256 of the presented token, lower-case hex; compared in constant time before, where it matters. */
  readonly tokenHash: string;
  readonly certificate: AgentCertificate;
  readonly now: Date;
};

/**
 * Redeems the bootstrap token: one winner. The same key again within 10 minutes gets no new fact, so that the answer is the
 * certificate it was given first. Refuses with `BOOTSTRAP_TOKEN_INVALID`.
 */
export function enrolAgent(command: EnrolAgent, state: ClusterState): readonly ClusterFact[] {
  const { clusterId, tokenHash, certificate, now } = command;
  if (state.status !== 'registered' || state.bootstrap?.hash !== tokenHash) throw bootstrapTokenInvalid();
  const { bootstrap } = state;
  if (bootstrap.redeemed !== null) {
    const age = now.getTime() - bootstrap.redeemed.at.getTime();
    const sameKey = bootstrap.redeemed.publicKeyHash === certificate.publicKeyHash;
    if (sameKey && age < enrolmentReplayMs && certificateOfKey(state, certificate.publicKeyHash)) return [];
    throw new Refusal(
      'BOOTSTRAP_TOKEN_INVALID',
      `The bootstrap token was redeemed at ${bootstrap.redeemed.at.toISOString()}. Issue a new one for the cluster.`,
    );
  }
  if (now.getTime() >= Date.parse(bootstrap.expiresAt)) {
    throw new Refusal(
      'BOOTSTRAP_TOKEN_INVALID',
      `The bootstrap token expired at ${bootstrap.expiresAt}. Issue a new one for the cluster.`,
    );
  }
  // Another agent may hold the old identity: the raised version ends it.
  const tokenVersion = state.certificates.length === 0 ? state.tokenVersion : state.tokenVersion + 1;
  return [{ type: 'cluster.agent_enrolled', data: { clusterId, tokenHash, tokenVersion, certificate } }];
}

/** The one refusal for an unknown cluster, a wrong token and a token of another cluster: it does not say which (TN-06). */
export const bootstrapTokenInvalid = (): Refusal =>
  new Refusal(
    'BOOTSTRAP_TOKEN_INVALID',
    'The bootstrap token is not the one that was issued last for this cluster. Issue a new one.',
  );

export type RenewCertificate = {
  readonly presented: PresentedIdentity;
  readonly certificate: AgentCertificate;
  readonly now: Date;
};

/**
 * A further certificate, good beside the present one until it is first used. A key that was answered within 24 h gets no new
 * fact. Refuses as `requireIdentity` does, and with `RATE_LIMITED`.
 */
export function renewCertificate(command: RenewCertificate, state: ClusterState): readonly ClusterFact[] {
  const { presented, certificate, now } = command;
  const cluster = requireIdentity(presented, state, now);
  const answered = certificateOfKey(cluster, certificate.publicKeyHash);
  const today = (held: HeldCertificate): boolean => now.getTime() - held.issuedAt.getTime() < renewalReplayMs;
  if (answered && today(answered)) return [];
  if (cluster.certificates.filter(today).length >= mostRenewalsPerDay) {
    throw new Refusal(
      'RATE_LIMITED',
      `The agent was given ${mostRenewalsPerDay} certificates within a day and asks for another: look at why it does not use them.`,
      { retryAfterSeconds: '3600' },
    );
  }
  const { clusterId, tokenVersion } = cluster;
  return [{ type: 'cluster.agent_renewed', data: { clusterId, tokenVersion, certificate } }];
}

/** A new token of the present version. Refuses as `requireIdentity` does. */
export function renewToken(
  command: { readonly presented: PresentedIdentity; readonly tokenExpiresAt: Date; readonly now: Date },
  state: ClusterState,
): readonly ClusterFact[] {
  const { clusterId, tokenVersion } = requireIdentity(command.presented, state, command.now);
  const tokenExpiresAt = command.tokenExpiresAt.toISOString();
  return [{ type: 'cluster.agent_renewed', data: { clusterId, tokenVersion, tokenExpiresAt } }];
}

/** The certificate last given to a key (SHA-256 of its SPKI in DER, lower-case hex). */
export const certificateOfKey = (cluster: RegisteredCluster, publicKeyHash: string): HeldCertificate | undefined =>
  cluster.certificates.findLast((certificate) => certificate.publicKeyHash === publicKeyHash);

/**
 * The cluster whose agent presents this identity. Refuses with `AGENT_REVOKED` when it was revoked, replaced or the cluster is
 * gone (D1), with `SUPERSEDED` when a newer certificate took over more than an hour ago (D36), and with
 * `AGENT_UNAUTHENTICATED` for a version that was never given out.
 */
export function requireIdentity(
  presented: PresentedIdentity,
  state: ClusterState | undefined,
  now: Date,
): RegisteredCluster {
  const { clusterId, fingerprint, tokenVersion } = presented;
  if (state?.status !== 'registered') throw gone(clusterId, state);
  if (tokenVersion > state.tokenVersion) {
    throw new Refusal(
      'AGENT_UNAUTHENTICATED',
      `The agent's token has version ${tokenVersion}, which was never given out for cluster '${state.name}'.`,
      { clusterId },
    );
  }
  if (tokenVersion < state.tokenVersion) {
    throw new Refusal(
      'AGENT_REVOKED',
      `The identity of the agent of cluster '${state.name}' was revoked or replaced. Issue a new bootstrap token for the cluster and give it to the agent.`,
      { clusterId },
    );
  }
  const certificate = state.certificates.find((held) => held.fingerprint === fingerprint);
  if (certificate && !isOver(certificate.supersededAt, now)) return state;
  throw new Refusal(
    'SUPERSEDED',
    `The agent's certificate was replaced by a newer one. Read the renewed identity of cluster '${state.name}' and connect with it.`,
    { clusterId },
  );
}

function gone(clusterId: ClusterId, state: ClusterState | undefined): Refusal {
  const why =
    state?.status === 'deleted'
      ? `Cluster '${state.name}' was deleted.`
      : `There is no cluster ${clusterId} at this control plane.`;
  return new Refusal('AGENT_REVOKED', `${why} Register it and give its bootstrap token to the agent.`, { clusterId });
}

export type AgentConnected = {
  readonly agentVersion: string;
  readonly kubernetesVersion: string;
  readonly certificateFingerprint: string;
};

/** A fact when the cluster was not connected, a version changed, or a certificate is used for the first time (D35, D36). */
export function agentConnected(command: AgentConnected, state: ClusterState): readonly ClusterFact[] {
  if (state.status !== 'registered') return [];
  const { clusterId, connection, certificates } = state;
  const certificate = certificates.find(({ fingerprint }) => fingerprint === command.certificateFingerprint);
  // An agent that was revoked between its hello and now is not connected any more.
  if (!certificate) return [];
  const known =
    connection.status === 'connected' &&
    connection.agentVersion === command.agentVersion &&
    connection.kubernetesVersion === command.kubernetesVersion &&
    certificate.usedAt !== null;
  return known ? [] : [{ type: 'cluster.connected', data: { clusterId, ...command } }];
}

/** A fact when the log has the cluster as connected. `reason` is one sentence for the audit. */
export function agentDisconnected(command: { readonly reason: string }, state: ClusterState): readonly ClusterFact[] {
  if (state.status !== 'registered' || state.connection.status !== 'connected') return [];
  return [{ type: 'cluster.disconnected', data: { clusterId: state.clusterId, reason: command.reason } }];
}
