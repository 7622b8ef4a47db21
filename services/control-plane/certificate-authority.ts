/**
 * The CA of agents and of the tunnel's own server certificate (D6, D8). It only signs, and only two forms of certificate; the
 * names in an agent's request are never looked at. More certificates beside the signing one are trusted as well: the old and
 * the new CA while one replaces the other (D17).
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { AgentCertificate } from '@clustral/schemas/events/cluster.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import {
  certificatesOf,
  createKeyPair,
  issueCertificate,
  publicKeyHash,
  spkiOf,
  type Validity,
} from '@clustral/kernel/x509.ts';
import { readCertificate } from '@clustral/kernel/x509-read.ts';

const day = 86_400_000;
const agentCertificateDays = 395;
const serverCertificateDays = 90;
/** Two machines' clocks may differ a little (D8). */
const backdatedMs = 300_000;

export type CertificateAuthority = {
  /** SHA-256 of the signing CA's public key (SPKI, DER), base64url (D7). */
  readonly pin: string;
  /** Every CA that agents and this server trust, PEM, one certificate each; the signing one first. */
  readonly trusted: readonly string[];
  /** A certificate for the agent of a cluster. `publicKey` is SPKI in DER, taken from a request whose signature held. */
  issueAgentCertificate(clusterId: ClusterId, publicKey: Uint8Array): Promise<AgentCertificate>;
  /** A fresh key and certificate for :5443. `chainPem` has the CA's certificate after the leaf, so that a pin can be checked. */
  issueServerCertificate(hosts: readonly string[]): Promise<ServerCertificate>;
};

export type ServerCertificate = { readonly chainPem: string; readonly privateKeyPem: string; readonly notAfter: Date };

/** The URI by which an agent's certificate names its cluster (D8). */
export const clusterUri = (clusterId: string): string => `urn:clustral:cluster:${clusterId}`;

export type CertificateAuthorityOptions = {
  /** The text of `CA_CERT_PATH`: the CA that signs, and any other to be trusted, in any order. */
  readonly certificatesPem: string;
  readonly privateKeyPem: string;
  readonly now: () => Date;
};

/** Throws when no certificate of the file belongs to the key. */
export function createCertificateAuthority(options: CertificateAuthorityOptions): CertificateAuthority {
  const { privateKeyPem, now } = options;
  const all = certificatesOf(options.certificatesPem);
  const publicKeyPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString();
  const pin = publicKeyHash(spkiOf(publicKeyPem), 'base64url');
  const certificatePem = all.find((pem) => pinOf(pem) === pin);
  if (certificatePem === undefined)
    throw new Error('CA_CERT_PATH holds no certificate for the private key of CA_KEY_PATH: they are not a pair');
  const issuer = { certificatePem, privateKeyPem };
  const { notAfter: issuerEnd } = readCertificate(certificatePem);
  const lasting = (days: number): Validity => {
    const start = now().getTime();
    // A certificate that outlives its issuer would fail on the issuer's last day without saying why.
    const end = Math.min(start + days * day, issuerEnd.getTime());
    return { notBefore: new Date(start - backdatedMs), notAfter: new Date(end) };
  };
  return {
    pin,
    trusted: [certificatePem, ...all.filter((pem) => pem !== certificatePem)],
    async issueAgentCertificate(clusterId, publicKey) {
      const names = { uris: [clusterUri(clusterId)] };
      const order = { ...lasting(agentCertificateDays), issuer, publicKey, commonName: clusterId, names };
      const pem = await issueCertificate({ ...order, use: 'client' });
      const { fingerprint, serialNumber, notAfter, publicKeyHash: keyHash } = readCertificate(pem);
      return {
        fingerprint,
        serialNumber,
        publicKeyHash: keyHash,
        certificatePem: pem,
        notAfter: notAfter.toISOString(),
      };
    },
    async issueServerCertificate(hosts) {
      const keys = await createKeyPair('P-256');
      const validity = lasting(serverCertificateDays);
      const order = { ...validity, issuer, publicKey: spkiOf(keys.publicKeyPem), commonName: hosts[0] ?? 'clustral' };
      const leaf = await issueCertificate({ ...order, names: { hosts }, use: 'server' });
      return {
        chainPem: `${leaf}${certificatePem}\n`,
        privateKeyPem: keys.privateKeyPem,
        notAfter: validity.notAfter,
      };
    },
  };
}

const pinOf = (pem: string): string =>
  publicKeyHash(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }), 'base64url');
