/**
 * `AgentService`: enrolment for a bootstrap token, and renewals (D7, D8, D36). The private key never comes here; what is given out
 * is decided on the cluster's stream, so that of many who try with one token one wins (TN-07). A wrong token and an unknown
 * cluster get the same answer after the same work (TN-06).
 */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { clusterStream, type AgentCertificate, type ClusterFact } from '@clustral/schemas/events/cluster.ts';
import { storedOrigin } from '@clustral/schemas/events/person.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type {
  AgentIdentitySchema,
  RegisterAgentRequest,
  RenewCertificateRequest,
} from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { isUuid, parseClusterId, type ClusterId } from '@clustral/schemas/ids.ts';
import { publicKeyHash, readCertificateRequest } from '@clustral/kernel/x509.ts';
import type { AgentTokens } from '../agent-tokens.ts';
import { hashOf, isToken } from '../bootstrap-tokens.ts';
import type { CertificateAuthority } from '../certificate-authority.ts';
import {
  bootstrapTokenInvalid,
  certificateOfKey,
  enrolAgent,
  renewCertificate,
  renewToken,
  type PresentedIdentity,
} from '../domain/cluster-agent.ts';
import {
  evolveCluster,
  initialCluster,
  requireCluster,
  type ClusterState,
  type RegisteredCluster,
} from '../domain/cluster.ts';
import { KeyedLocks } from '../keyed-locks.ts';
import type { Cause, Commands, Policy } from '../ports.ts';
import { networkOf, Throttle } from './throttle.ts';

export type EnrolmentDeps = {
  readonly policy: Pick<Policy, 'cluster' | 'assertFresh'>;
  readonly commands: Commands;
  readonly authority: CertificateAuthority;
  readonly tokens: AgentTokens;
  readonly now: () => Date;
  readonly monotonic: () => number;
};

/** From where and under which correlation id a call came. */
export type CallOrigin = { readonly sourceAddress: string; readonly correlationId: string };

type Identity = MessageInitShape<typeof AgentIdentitySchema>;

const signingDeadlineMs = 5_000;

export class Enrolment {
  readonly #deps: EnrolmentDeps;
  readonly #throttle = new Throttle();
  readonly #locks = new KeyedLocks();

  constructor(deps: EnrolmentDeps) {
    this.#deps = deps;
  }

  /** Refuses with `BOOTSTRAP_TOKEN_INVALID`, `RATE_LIMITED`, `VALIDATION_ERROR`. */
  async register(request: RegisterAgentRequest, origin: CallOrigin): Promise<Identity> {
    const { policy, now, monotonic } = this.#deps;
    if (!this.#throttle.take(networkOf(origin.sourceAddress), monotonic())) throw tooOften();
    policy.assertFresh();
    const clusterId = isUuid(request.clusterId) ? parseClusterId(request.clusterId) : undefined;
    const known = clusterId === undefined ? undefined : policy.cluster(clusterId);
    const record = known?.status === 'registered' ? (known.bootstrap ?? undefined) : undefined;
    if (!isToken(request.bootstrapToken, record) || clusterId === undefined) throw bootstrapTokenInvalid();
    const tokenHash = hashOf(request.bootstrapToken);
    return this.#certify({
      clusterId,
      csr: request.csr,
      cause: causeOf(clusterId, origin),
      decide: (certificate, state) => enrolAgent({ clusterId, tokenHash, certificate, now: now() }, state),
    });
  }

  /** Refuses as the identity check does, and with `RATE_LIMITED`, `VALIDATION_ERROR`. */
  renewCertificate(
    request: RenewCertificateRequest,
    presented: PresentedIdentity,
    origin: CallOrigin,
  ): Promise<Identity> {
    const { clusterId } = presented;
    const { now } = this.#deps;
    return this.#certify({
      clusterId,
      csr: request.csr,
      cause: causeOf(clusterId, origin),
      decide: (certificate, state) => renewCertificate({ presented, certificate, now: now() }, state),
    });
  }

  /** A new token of the present version. Refuses as the identity check does, and with `RATE_LIMITED`. */
  async renewToken(presented: PresentedIdentity, origin: CallOrigin): Promise<Identity> {
    const { clusterId } = presented;
    const { tokens, now, monotonic } = this.#deps;
    if (!this.#throttle.take(clusterId, monotonic())) throw tooOften();
    const tokenExpiresAt = tokens.expiry();
    const state = await this.#run(clusterId, {
      cause: causeOf(clusterId, origin),
      decide: (before) => renewToken({ presented, tokenExpiresAt, now: now() }, before),
    });
    return this.#tokenFor(requireCluster(clusterId, state));
  }

  async #certify(order: CertificateOrder): Promise<Identity> {
    const { authority } = this.#deps;
    const release = await this.#locks.acquire([order.clusterId], signingDeadlineMs);
    try {
      const publicKey = await readCertificateRequest(order.csr);
      if (!publicKey) throw unusableRequest();
      const keyHash = publicKeyHash(publicKey, 'hex');
      const cluster = requireCluster(order.clusterId, await this.#decideAndSign(order, publicKey, keyHash));
      const given = certificateOfKey(cluster, keyHash);
      if (!given) throw new Error(`cluster ${order.clusterId} holds no certificate for the key just decided for`);
      return {
        ...(await this.#tokenFor(cluster)),
        certificatePem: given.certificatePem,
        caBundlePem: authority.trusted.join('\n'),
      };
    } finally {
      release();
    }
  }

  // Decided once before anything is signed: whoever is refused, or was answered before, gets no certificate made.
  async #decideAndSign(
    { clusterId, decide, cause }: CertificateOrder,
    publicKey: Uint8Array,
    keyHash: string,
  ): Promise<ClusterState> {
    const { authority, policy } = this.#deps;
    const state = policy.cluster(clusterId) ?? initialCluster;
    if (decide({ ...unsigned, publicKeyHash: keyHash }, state).length === 0) return state;
    const certificate = await authority.issueAgentCertificate(clusterId, publicKey);
    return this.#run(clusterId, { cause, decide: (before) => decide(certificate, before) });
  }

  async #run(
    clusterId: ClusterId,
    command: { readonly cause: Cause; readonly decide: (state: ClusterState) => readonly ClusterFact[] },
  ): Promise<ClusterState> {
    const stream = clusterStream(clusterId);
    const aggregate = { stream, initial: initialCluster, evolve: evolveCluster };
    return (await this.#deps.commands.run<ClusterState, ClusterFact>({ ...aggregate, ...command })).state;
  }

  async #tokenFor({ clusterId, tokenVersion }: RegisteredCluster): Promise<Identity> {
    const { tokens } = this.#deps;
    const expiresAt = tokens.expiry();
    return {
      clusterId,
      token: await tokens.issue(clusterId, tokenVersion, expiresAt),
      tokenExpiresAt: timestampFromDate(expiresAt),
    };
  }
}

type CertificateOrder = {
  readonly clusterId: ClusterId;
  readonly csr: Uint8Array;
  readonly cause: Cause;
  readonly decide: (certificate: AgentCertificate, state: ClusterState) => readonly ClusterFact[];
};

const unsigned: Omit<AgentCertificate, 'publicKeyHash'> = {
  fingerprint: '',
  serialNumber: '',
  certificatePem: '',
  notAfter: '',
};

const causeOf = (clusterId: ClusterId, { sourceAddress, correlationId }: CallOrigin): Cause => ({
  actor: { kind: 'agent', id: clusterId },
  $correlationId: correlationId,
  ...storedOrigin({ sourceAddress }),
});

const unusableRequest = (): Refusal =>
  new Refusal(
    'VALIDATION_ERROR',
    'The certificate request cannot be used: it must be PKCS #10 in DER, signed by its own key, P-256 or RSA of 2048 to 4096 bits.',
    { field: 'csr' },
  );

const tooOften = (): Refusal =>
  new Refusal('RATE_LIMITED', 'Too many enrolments or renewals from here. Try again in a minute.', {
    retryAfterSeconds: '60',
  });
