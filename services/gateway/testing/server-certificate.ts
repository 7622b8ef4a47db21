/** A server certificate for 127.0.0.1 and the CA behind it, for tests of a gateway that ends TLS itself. */
import { writeFileSync } from 'node:fs';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';

/** Writes a key and a certificate for 127.0.0.1 and gives the certificate of the CA that signed it. */
export async function writeServerCertificate(keyPath: string, certificatePath: string): Promise<string> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const [caKeys, keys] = [await createKeyPair('P-256'), await createKeyPair('P-256')];
  const ca = await createCaCertificate({ ...validity, keys: caKeys, commonName: 'test' });
  const certificate = await issueCertificate({
    ...validity,
    issuer: { certificatePem: ca, privateKeyPem: caKeys.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'localhost',
    names: { hosts: ['localhost', '127.0.0.1'] },
    use: 'server',
  });
  writeFileSync(keyPath, keys.privateKeyPem, { mode: 0o600 });
  writeFileSync(certificatePath, certificate);
  return ca;
}
