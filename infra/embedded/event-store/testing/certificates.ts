/** A certificate for this machine from an authority of its own, as files. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';

export type CertificateFiles = { readonly ca: string; readonly cert: string; readonly key: string };

export async function certificateFiles(folder: string): Promise<CertificateFiles> {
  const day = 24 * 60 * 60 * 1_000;
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  const [authority, server] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  const caPem = await createCaCertificate({ ...validity, keys: authority, commonName: 'test authority' });
  const certificatePem = await issueCertificate({
    ...validity,
    issuer: { certificatePem: caPem, privateKeyPem: authority.privateKeyPem },
    publicKey: spkiOf(server.publicKeyPem),
    commonName: 'event store',
    names: { hosts: ['localhost', '127.0.0.1'] },
    use: 'server',
  });
  const files = { ca: join(folder, 'ca.crt'), cert: join(folder, 'es.crt'), key: join(folder, 'es.key') };
  writeFileSync(files.ca, caPem);
  writeFileSync(files.cert, certificatePem);
  writeFileSync(files.key, server.privateKeyPem, { mode: 0o600 });
  return files;
}
