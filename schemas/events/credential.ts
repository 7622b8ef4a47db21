/**
 * Facts of a kubeconfig credential: stream `credential-{id}`, the id being the token's `jti`. No token and no hash of one
 * is kept: it is found by `jti` after its signature was checked, and can be signed again from these fields (D33).
 */
import type { ClusterId, CredentialId, UserId } from '../ids.ts';

export type CredentialFact =
  | {
      readonly type: 'credential.issued';
      readonly data: {
        readonly credentialId: CredentialId;
        readonly userId: UserId;
        readonly clusterId: ClusterId;
        readonly keyId: string;
        /** Whole seconds since the epoch, as in the token. */
        readonly issuedAtSeconds: number;
        readonly expiresAtSeconds: number;
      };
    }
  | {
      readonly type: 'credential.revoked';
      readonly data: {
        readonly credentialId: CredentialId;
        readonly userId: UserId;
        readonly clusterId: ClusterId;
        readonly reason: string;
      };
    }
  | {
      readonly type: 'credential.revoke_denied';
      readonly data: { readonly credentialId: CredentialId; readonly reason: string };
    }
  | {
      readonly type: 'credential.issue_failed';
      readonly data: {
        readonly credentialId: CredentialId;
        readonly userId: UserId;
        readonly clusterId: string;
        readonly reason: string;
      };
    };

export const credentialStream = (id: CredentialId): string => `credential-${id}`;
