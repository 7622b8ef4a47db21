import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';
import { beforeAll, describe, expect, it } from 'vitest';
import { clientAuthentication, isIssuedBy, readCertificate } from './x509-read.ts';
import {
  certificatesOf,
  createCaCertificate,
  createCertificateRequest,
  createKeyPair,
  issueCertificate,
  publicKeyHash,
  readCertificateRequest,
  spkiOf,
  type KeyPair,
} from './x509.ts';

const now = new Date('2026-03-01T00:00:00Z');
const day = 86_400_000;
const validity = { notBefore: new Date(now.getTime() - day), notAfter: new Date(now.getTime() + 90 * day) };

let authorityKeys: KeyPair;
let keys: KeyPair;
let authority: string;
beforeAll(async () => {
  [authorityKeys, keys] = await Promise.all([createKeyPair('P-256'), createKeyPair('P-256')]);
  authority = await createCaCertificate({ ...validity, keys: authorityKeys, commonName: 'CA' });
});

const issue = (order: Partial<Parameters<typeof issueCertificate>[0]> = {}): Promise<string> =>
  issueCertificate({
    ...validity,
    issuer: { certificatePem: authority, privateKeyPem: authorityKeys.privateKeyPem },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'a',
    names: { uris: ['urn:x:a'] },
    use: 'client',
    ...order,
  });
const der = (pem: string): Uint8Array => new X509Certificate(pem).raw;

describe('a certificate', () => {
  it('says exactly what was ordered', async () => {
    const details = readCertificate(await issue());
    expect(details).toMatchObject({
      commonNames: ['a'],
      uris: ['urn:x:a'],
      otherNames: 0,
      isCa: false,
      purposes: [clientAuthentication],
      ...validity,
      publicKeyHash: publicKeyHash(spkiOf(keys.publicKeyPem), 'hex'),
    });
    expect(details.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps odd names as the values they are', async () => {
    const odd = 'urn:x:a, URI:urn:x:b\0';
    const details = readCertificate(await issue({ commonName: 'a\0b', names: { uris: [odd], hosts: ['h', '::1'] } }));
    expect(details.commonNames).toEqual(['a\0b']);
    expect(details.uris).toEqual([odd]);
    expect(details.otherNames).toBe(2);
  });

  it('names hosts and both kinds of addresses', async () => {
    const certificate = new X509Certificate(
      await issue({ use: 'server', names: { hosts: ['localhost', '127.0.0.1', '2001:db8::5'] } }),
    );
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('2001:db8::5')).toBe('2001:db8::5');
    expect(certificate.checkIP('2001:db8::6')).toBeUndefined();
  });

  it('counts for nothing when its signature rests on SHA-1', async () => {
    const weak = Certificate.fromBER(new Uint8Array(der(await issue())));
    const key = await webcrypto.subtle.importKey(
      'pkcs8',
      createPrivateKey(authorityKeys.privateKeyPem).export({ type: 'pkcs8', format: 'der' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    );
    await weak.sign(key, 'SHA-1');
    expect(isIssuedBy(new Uint8Array(weak.toSchema(true).toBER()), [authority], now)).toBe(false);
  });

  it('may live past the year 2050', async () => {
    const notAfter = new Date('2060-01-01T00:00:00Z');
    expect(readCertificate(await issue({ notAfter })).notAfter).toEqual(notAfter);
  });

  it('counts only when a CA of the bundle signed it and is within its own dates', async () => {
    const otherKeys = await createKeyPair('RSA-2048');
    const other = await createCaCertificate({ ...validity, keys: otherKeys, commonName: 'CA' });
    const leaf = der(await issue());
    expect(isIssuedBy(leaf, [authority], now)).toBe(true);
    expect(isIssuedBy(leaf, [other, authority], now)).toBe(true);
    expect(isIssuedBy(leaf, [other], now)).toBe(false);
    expect(isIssuedBy(leaf, [authority], new Date(now.getTime() + 91 * day))).toBe(false);
    const byRsa = await issue({ issuer: { certificatePem: other, privateKeyPem: otherKeys.privateKeyPem } });
    expect(isIssuedBy(der(byRsa), [other], now)).toBe(true);
    // An end certificate signs nothing.
    const end = await issue({ use: 'server' });
    const below = await issue({ issuer: { certificatePem: end, privateKeyPem: keys.privateKeyPem } });
    expect(isIssuedBy(der(below), [end], now)).toBe(false);
  });
});

describe('a certificate request', () => {
  it('gives the key that signed it', async () => {
    for (const kind of ['P-256', 'RSA-2048'] as const) {
      const own = await createKeyPair(kind);
      const request = await createCertificateRequest({ keys: own, commonName: 'a' });
      expect(Buffer.from((await readCertificateRequest(request)) ?? [])).toEqual(Buffer.from(spkiOf(own.publicKeyPem)));
    }
  });

  it('is refused when any byte was changed', async () => {
    const request = await createCertificateRequest({ keys, commonName: 'a' });
    for (let i = 0; i < request.length; i += 7) {
      const forged = Uint8Array.from(request);
      forged[i] = (forged[i] ?? 0) ^ 0x01;
      expect(await readCertificateRequest(forged), `byte ${i}`).toBeUndefined();
    }
  });

  it('is refused when it is none, or too large', async () => {
    expect(await readCertificateRequest(new Uint8Array())).toBeUndefined();
    expect(await readCertificateRequest(Buffer.from('hello'))).toBeUndefined();
    expect(await readCertificateRequest(new Uint8Array(100_000))).toBeUndefined();
  });
});

describe('a PEM file', () => {
  it('is taken apart into its certificates', () => {
    expect(certificatesOf(`# bundle\n${authority}\n${authority}`)).toHaveLength(2);
    expect(certificatesOf('nothing')).toEqual([]);
  });
});
