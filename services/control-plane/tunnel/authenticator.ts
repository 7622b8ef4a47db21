/**
 * Who is at the other end of :5443, and what it may call (D34). One function answers for every stream, before either the stock
 * Connect path or the lanes see it. An identity is three things that must agree byte for byte: the common name and the one URI
 * name of a certificate of ours, and the subject of a token of ours; and the policy must still know both. What is not
 * listed here may not be called, whoever asks.
 */
import type { TLSSocket } from 'node:tls';
import { isIssuedBy, clientAuthentication, readCertificate } from '@clustral/kernel/x509-read.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { AgentService } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { TunnelService } from '@clustral/schemas/gen/clustral/v1/tunnel_pb.ts';
import { isUuid, type ClusterId } from '@clustral/schemas/ids.ts';
import type { AgentClaims } from '@clustral/schemas/tokens.ts';
import type { AgentTokens } from '../agent-tokens.ts';
import { clusterUri } from '../certificate-authority.ts';
import { requireIdentity, type PresentedIdentity } from '../domain/cluster-agent.ts';
import type { Policy } from '../ports.ts';

/** What the certificate of a connection says, read once. */
export type Peer = {
  readonly clusterId: ClusterId;
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
};

/** A connection's certificate: an identity to be checked further, or why it is none. */
export type PeerCertificate = Peer | Refusal;

/** Who calls: an agent whose identity counts, or somebody unknown at the one method that is open to all. */
export type Caller =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'agent'; readonly identity: PresentedIdentity; readonly tokenExpiresAt: Date };

export const exchangePath = pathOf(TunnelService.typeName, TunnelService.method.exchange.name);

// `expired`: also with a token that has expired, to get a new one (D1).
const methods: Readonly<Record<string, 'anyone' | 'agent' | 'expired'>> = {
  [pathOf(AgentService.typeName, AgentService.method.registerAgent.name)]: 'anyone',
  [pathOf(AgentService.typeName, AgentService.method.renewCertificate.name)]: 'agent',
  [pathOf(AgentService.typeName, AgentService.method.renewToken.name)]: 'expired',
  [pathOf(TunnelService.typeName, TunnelService.method.control.name)]: 'agent',
  [exchangePath]: 'agent',
};

function pathOf(service: string, method: string): string {
  return `/${service}/${method}`;
}

export type AuthenticatorDeps = {
  readonly policy: Pick<Policy, 'cluster' | 'assertFresh'>;
  readonly tokens: Pick<AgentTokens, 'verify' | 'verifyExpired'>;
  /** CAs, PEM, one certificate each. */
  readonly trusted: readonly string[];
  readonly now: () => Date;
};

/** What a stream shows of itself. */
export type Presented = {
  readonly peer: PeerCertificate;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly authorization: string | undefined;
};

export type Authenticator = {
  /** Reads the certificate of a connection. Nobody is let in by it alone. */
  peerOf(socket: TLSSocket): PeerCertificate;
  /**
   * Throws `FORBIDDEN` for a method that is not on the list, `AGENT_UNAUTHENTICATED`, `AGENT_REVOKED`, `SUPERSEDED`, and
   * `STORE_UNAVAILABLE` while it cannot be known.
   */
  authenticate(presented: Presented): Promise<Caller>;
  /**
   * The same question for a connection that is open already (D36: once a minute, and at every change of its cluster), answered
   * from what is known, be it fresh or not.
   */
  recheck(identity: PresentedIdentity, peer: Peer, tokenExpiresAt: Date): void;
};

export function createAuthenticator({ policy, tokens, trusted, now }: AuthenticatorDeps): Authenticator {
  const check = (identity: PresentedIdentity, peer: Peer): void => {
    refuseOutOfDate(peer, now());
    requireIdentity(identity, policy.cluster(identity.clusterId), now());
  };
  return {
    peerOf: (socket) => peerOf(socket, trusted, now()),
    async authenticate({ peer, method, path, authorization }) {
      const rule = method === 'POST' && path !== undefined && Object.hasOwn(methods, path) ? methods[path] : undefined;
      if (rule === undefined) {
        throw new Refusal('FORBIDDEN', 'An agent may not call this: only its own enrolment, renewals and tunnel.');
      }
      if (rule === 'anyone') return { kind: 'anyone' };
      if (peer instanceof Refusal) throw peer;
      const claims = await claimsOf(authorization, rule === 'expired' ? tokens.verifyExpired : tokens.verify);
      if (claims.sub !== peer.clusterId) {
        throw unauthenticated('The token and the certificate name two different clusters.');
      }
      const { clusterId, fingerprint } = peer;
      const identity = { clusterId, fingerprint, tokenVersion: claims.token_version };
      policy.assertFresh();
      check(identity, peer);
      return { kind: 'agent', identity, tokenExpiresAt: new Date(claims.exp * 1000) };
    },
    recheck(identity, peer, tokenExpiresAt) {
      check(identity, peer);
      if (tokenExpiresAt < now()) {
        throw unauthenticated(`The agent's token expired at ${tokenExpiresAt.toISOString()}: it must be renewed.`);
      }
    },
  };
}

function peerOf(socket: TLSSocket, trusted: readonly string[], now: Date): PeerCertificate {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return unauthenticated('The connection came without a client certificate.');
  if (!socket.authorized || !isIssuedBy(certificate.raw, trusted, now)) {
    return unauthenticated(
      'The client certificate was not issued by the CA of this control plane, or it is not within its dates.',
    );
  }
  const { commonNames, uris, otherNames, isCa, purposes, ...details } = readCertificate(certificate.raw);
  const [clusterId, ...moreNames] = commonNames;
  const [uri, ...moreUris] = uris;
  const isOneName = moreNames.length + moreUris.length + otherNames === 0;
  if (clusterId === undefined || !isOneName || !isCanonical(clusterId) || uri !== clusterUri(clusterId)) {
    return unauthenticated('The client certificate does not name exactly one cluster.');
  }
  if (isCa || !purposes.includes(clientAuthentication)) {
    return unauthenticated('The certificate is not one for an agent.');
  }
  const { fingerprint, notBefore, notAfter } = details;
  return { clusterId: clusterId as ClusterId, fingerprint, notBefore, notAfter };
}

// Another spelling of the same id would be another string where ids are compared.
const isCanonical = (text: string): boolean => isUuid(text) && text === text.toLowerCase();

function refuseOutOfDate({ notBefore, notAfter }: Peer, now: Date): void {
  if (notBefore <= now && now <= notAfter) return;
  throw unauthenticated(
    `The agent's certificate is good from ${notBefore.toISOString()} to ${notAfter.toISOString()}; the clock here says ${now.toISOString()}.`,
  );
}

async function claimsOf(
  authorization: string | undefined,
  verify: (token: string) => Promise<AgentClaims>,
): Promise<AgentClaims> {
  const token = /^Bearer ([\x21-\x7e]+)$/.exec(authorization ?? '')?.[1];
  if (token === undefined) throw unauthenticated('The agent sent no token.');
  const claims = await verify(token).catch((refusal: unknown) => {
    if (!(refusal instanceof Refusal)) throw refusal;
    throw unauthenticated(`The agent's token was refused. ${refusal.message}`);
  });
  if (!Number.isSafeInteger(claims.token_version)) throw unauthenticated("The agent's token has no version.");
  return claims;
}

const unauthenticated = (message: string): Refusal => new Refusal('AGENT_UNAUTHENTICATED', message);
