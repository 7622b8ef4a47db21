import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCaCertificate, createKeyPair, spkiOf, type KeyPair } from '@clustral/kernel/x509.ts';
import { clientAuthentication, isIssuedBy, readCertificate } from '@clustral/kernel/x509-read.ts';
import { parseClusterId } from '@clustral/schemas/ids.ts';
import { createCertificateAuthority } from './certificate-authority.ts';

const clusterId = parseClusterId('6f1b2c3d-0000-4000-8000-000000000001');
const now = new Date('2026-01-01T12:00:00Z');
const day = 86_400_000;
const until = (days: number) => ({ notBefore: now, notAfter: new Date(now.getTime() + days * day) });

let keys: KeyPair;
let agentKey: Uint8Array;
beforeAll(async () => {
  keys = await createKeyPair('RSA-2048');
  agentKey = spkiOf((await createKeyPair('P-256')).publicKeyPem);
});

const authority = async (days = 3650) => {
  const certificatesPem = await createCaCertificate({ ...until(days), keys, commonName: 'CA' });
  return createCertificateAuthority({ certificatesPem, privateKeyPem: keys.privateKeyPem, now: () => now });
};

describe('the certificate authority', () => {
  it('gives an agent exactly its cluster, for 395 days', async () => {
    const ca = await authority();
    const issued = await ca.issueAgentCertificate(clusterId, agentKey);
    const details = readCertificate(issued.certificatePem);
    expect(details).toMatchObject({
      commonNames: [clusterId],
      uris: [`urn:clustral:cluster:${clusterId}`],
      otherNames: 0,
      isCa: false,
      purposes: [clientAuthentication],
      notBefore: new Date(now.getTime() - 300_000),
      notAfter: new Date(now.getTime() + 395 * day),
    });
    expect(isIssuedBy(new X509Certificate(issued.certificatePem).raw, ca.trusted, now)).toBe(true);
  });

  it('gives no certificate that outlives itself', async () => {
    const issued = await (await authority(100)).issueAgentCertificate(clusterId, agentKey);
    expect(issued.notAfter).toBe(new Date(now.getTime() + 100 * day).toISOString());
  });

  it('gives its own server a leaf with the names, followed by the CA that the pin names', async () => {
    const ca = await authority();
    const server = await ca.issueServerCertificate(['localhost', '127.0.0.1']);
    expect(new X509Certificate(server.chainPem).checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.chainPem).toContain(ca.trusted[0]);
  });

  it('trusts every CA of its file and signs with the one whose key it has', async () => {
    const other = await createCaCertificate({ ...until(10), keys: await createKeyPair('P-256'), commonName: 'old' });
    const own = await createCaCertificate({ ...until(10), keys, commonName: 'new' });
    const options = { privateKeyPem: keys.privateKeyPem, now: () => now };
    const ca = createCertificateAuthority({ ...options, certificatesPem: `${other}${own}` });
    expect(ca.trusted.map((pem) => new X509Certificate(pem).subject)).toEqual(['CN=new', 'CN=old']);
    expect(() => createCertificateAuthority({ ...options, certificatesPem: other })).toThrow('not a pair');
  });
});
