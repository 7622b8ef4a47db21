/** Identities for tests: real keys and certificates of a CA made for them. */
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';
import type { Identity } from '../identity.ts';

const day = 86_400_000;

export async function createIdentity(clusterId: string, token: string): Promise<Identity> {
  const [caKeys, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 395 * day) };
  const ca = await createCaCertificate({ keys: caKeys, commonName: 'CA', ...validity });
  const certificatePem = await issueCertificate({
    ...validity,
    issuer: { certificatePem: ca, privateKeyPem: caKeys.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: clusterId,
    names: { uris: [`urn:clustral:cluster:${clusterId}`] },
    use: 'client',
  });
  return { clusterId, privateKeyPem: keys.privateKeyPem, certificatePem, caBundlePem: ca, token, bootstrapHash: 'aa' };
}

/** Who somebody is at an API server that knows them by a certificate. */
export type ClientIdentity = { readonly ca: string; readonly certificate: string; readonly key: string };

export async function createClientIdentity(commonName: string): Promise<ClientIdentity> {
  const [caKeys, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const ca = await createCaCertificate({ keys: caKeys, commonName: 'people', ...validity });
  const certificate = await issueCertificate({
    ...validity,
    issuer: { certificatePem: ca, privateKeyPem: caKeys.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName,
    names: {},
    use: 'client',
  });
  return { ca, certificate, key: keys.privateKeyPem };
}
