/**
 * Facts of a cluster and of its agent's identity: stream `cluster-{id}`. A bootstrap token is kept only as what is
 * needed to make it again and to compare it (D33): never the token itself.
 */
import type { ClusterId } from '../ids.ts';

/** What an agent was given at enrolment or renewal. Fingerprints are SHA-256 of the certificate in DER, lower-case hex. */
export type AgentCertificate = {
  readonly fingerprint: string;
  readonly serialNumber: string;
  /** SHA-256 of the public key (SPKI, DER), lower-case hex: the same key asking again gets the same answer (D36). */
  readonly publicKeyHash: string;
  readonly certificatePem: string;
  readonly notAfter: string;
};

/** How a bootstrap token is made again and compared: HMAC over label, cluster id, nonce and CA pin (D33). */
export type BootstrapToken = {
  readonly nonce: string;
  readonly keyId: string;
  readonly caPin: string;
  /** SHA-256 of the token, lower-case hex. */
  readonly hash: string;
  readonly expiresAt: string;
};

export type ClusterFact =
  | {
      readonly type: 'cluster.registered';
      readonly data: {
        readonly clusterId: ClusterId;
        readonly name: string;
        readonly description: string;
        readonly labels: Readonly<Record<string, string>>;
      };
    }
  | {
      readonly type: 'cluster.updated';
      readonly data: {
        readonly clusterId: ClusterId;
        readonly name: string;
        readonly description: string;
        readonly labels: Readonly<Record<string, string>>;
      };
    }
  | {
      readonly type: 'cluster.bootstrap_token_issued';
      readonly data: { readonly clusterId: ClusterId; readonly token: BootstrapToken };
    }
  | {
      readonly type: 'cluster.agent_enrolled';
      readonly data: {
        readonly clusterId: ClusterId;
        readonly tokenHash: string;
        readonly tokenVersion: number;
        readonly certificate: AgentCertificate;
      };
    }
  | {
      readonly type: 'cluster.agent_renewed';
      readonly data: {
        readonly clusterId: ClusterId;
        readonly tokenVersion: number;
        readonly certificate?: AgentCertificate;
        readonly tokenExpiresAt?: string;
      };
    }
  | {
      readonly type: 'cluster.agent_revoked';
      readonly data: { readonly clusterId: ClusterId; readonly tokenVersion: number };
    }
  | {
      readonly type: 'cluster.connected';
      readonly data: {
        readonly clusterId: ClusterId;
        readonly agentVersion: string;
        readonly kubernetesVersion: string;
        /** The certificate it came with: the first use of a new one supersedes those before it (D36). */
        readonly certificateFingerprint?: string;
      };
    }
  | { readonly type: 'cluster.disconnected'; readonly data: { readonly clusterId: ClusterId; readonly reason: string } }
  | { readonly type: 'cluster.deleted'; readonly data: { readonly clusterId: ClusterId; readonly name: string } };

export const clusterStream = (id: ClusterId): string => `cluster-${id}`;
