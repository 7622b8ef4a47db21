/**
 * The agent's identity: its own key, what was signed for it, and whom it trusts, always as one whole, wherever it is kept. What is
 * not whole, or does not fit together, counts as none.
 */
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { certificatesOf, type KeyPair } from '@clustral/kernel/x509.ts';

export type Identity = {
  readonly clusterId: string;
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  /** Every CA that may have signed the control plane's certificate. */
  readonly caBundlePem: string;
  readonly token: string;
  /** SHA-256 of the bootstrap token that was redeemed for it, hex: another one is a new invitation. */
  readonly bootstrapHash: string;
};

const files = {
  clusterId: 'cluster-id',
  privateKeyPem: 'key.pem',
  certificatePem: 'certificate.pem',
  caBundlePem: 'ca.pem',
  token: 'token',
  bootstrapHash: 'bootstrap-token.sha256',
} as const satisfies Record<keyof Identity, string>;

/** By what name each part of an identity is kept. */
export const identityParts = Object.entries(files) as readonly (readonly [keyof Identity, string])[];

/** By what name the key is kept that waits for a certificate. */
export const pendingKeyName = 'pending-key.pem';

/** The identity whose parts are kept under these names; undefined when one is missing, or they do not fit together. */
export function wholeIdentity(kept: ReadonlyMap<string, string | undefined>): Identity | undefined {
  const identity = Object.fromEntries(identityParts.map(([part, name]) => [part, kept.get(name) ?? '']));
  return isWhole(identity) ? identity : undefined;
}

/** The pair to which a private key belongs, PEM. */
export const keyPairOf = (privateKeyPem: string): KeyPair => ({
  privateKeyPem,
  publicKeyPem: createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString(),
});

function isWhole(identity: Partial<Identity>): identity is Identity {
  const { clusterId, privateKeyPem, certificatePem, caBundlePem, token } = identity;
  if (!clusterId || !privateKeyPem || !certificatePem || !caBundlePem || !token) return false;
  return isPair(certificatePem, privateKeyPem) && isBundle(caBundlePem);
}

/** True when the certificate is for the key (both PEM). */
export function isPair(certificatePem: string, privateKeyPem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}

const mostAuthorities = 32;

/** True when the text holds at least one CA certificate, no more than a bundle needs, and all can be read. */
export function isBundle(pem: string): boolean {
  const authorities = certificatesOf(pem);
  if (authorities.length === 0 || authorities.length > mostAuthorities) return false;
  try {
    return authorities.every((authority) => new X509Certificate(authority).ca);
  } catch {
    return false;
  }
}

/** By what a bootstrap token is known again without keeping it. */
export const bootstrapHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** When an identity begins and ends, milliseconds since the epoch. */
export type IdentityDates = {
  readonly certificateFrom: number;
  readonly certificateUntil: number;
  readonly tokenUntil: number;
};

/** Reads the dates; a token that cannot be read counts as expired. Nothing is verified: the control plane does that. */
export function datesOf({ certificatePem, token }: Identity): IdentityDates {
  const certificate = new X509Certificate(certificatePem);
  return {
    certificateFrom: certificate.validFromDate.getTime(),
    certificateUntil: certificate.validToDate.getTime(),
    tokenUntil: tokenEnd(token),
  };
}

function tokenEnd(token: string): number {
  try {
    return (decodeJwt(token).exp ?? 0) * 1000;
  } catch {
    return 0;
  }
}
