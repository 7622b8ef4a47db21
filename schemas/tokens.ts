/**
 * What each kind of token says (behaviour.md 6, "Tokens"; one kind per surface, D9). Signing and verifying are the
 * services' work; this is only the shape, the issuers and the audiences.
 */

export const controlPlaneIssuer = 'clustral-control-plane';
export const gatewayIssuer = 'clustral-gateway';
export const kubeconfigAudience = 'clustral-kubeconfig';
export const internalAudience = 'clustral-internal';
export const agentAudience = 'clustral-agent';

/** Roles of Clustral itself, as they travel in the internal token. */
export const adminRole = 'clustral-admin';
export const auditorRole = 'clustral-auditor';

/** The header in which the gateway hands the internal token on. */
export const internalTokenHeader = 'x-internal-token';
export const correlationHeader = 'x-correlation-id';
export const positionHeader = 'x-clustral-position';
/** Whole seconds that what an answer shows may be behind the log; absent when that is not known. */
export const lagHeader = 'x-clustral-lag';

/** Payload of a kubeconfig token (ES256, signed by the control plane). `sub` = user id, `jti` = credential id. */
export type KubeconfigClaims = {
  readonly kind: 'kubeconfig';
  readonly sub: string;
  readonly cluster_id: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
};

/**
 * Payload of an internal token (ES256, signed by the gateway, 30 s). For a person with an OIDC token `sub` is the
 * provider's subject and `issuer` its issuer; for a kubeconfig credential `sub` is the user id and `credential_id` is set.
 */
export type InternalClaims = {
  readonly kind: 'internal' | 'service';
  readonly sub: string;
  readonly issuer?: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly preferred_username?: string;
  readonly name?: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  /** When the person last signed in at the provider, seconds since the epoch: a newer one is a new sign-in. */
  readonly auth_time?: number;
  /** When the person's own token ends, seconds since the epoch: what goes on longer than a call ends with it. */
  readonly token_exp?: number;
  readonly cluster_id?: string;
  readonly credential_id?: string;
  readonly iat: number;
  readonly exp: number;
};

/** Payload of an agent token (RS256, signed by the control plane). `sub` = cluster id. */
export type AgentClaims = {
  readonly kind: 'agent';
  readonly sub: string;
  readonly token_version: number;
  readonly iat: number;
  readonly exp: number;
};
