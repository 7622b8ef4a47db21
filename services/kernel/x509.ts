/**
 * Keys, certificate requests and certificates (RFC 5280, RFC 2986), with pkijs on node's WebCrypto. Used by the control plane's
 * CA, by the agent for its own request, and by the first start that makes the product's keys. It keeps no key, reads no
 * file and decides nothing: who gets a certificate is the caller's business. Signatures are SHA-256 with RSA or ECDSA.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { Integer, OctetString, Utf8String, BitString } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CertificationRequest,
  ExtKeyUsage,
  Extension,
  GeneralName,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  Time,
} from 'pkijs';

/** A key pair: PKCS #8 and SPKI, both PEM. */
export type KeyPair = { readonly privateKeyPem: string; readonly publicKeyPem: string };

/** Makes a key pair. P-256 for everything of ours but agent tokens, which the design signs with RS256. */
export async function createKeyPair(kind: 'P-256' | 'RSA-2048'): Promise<KeyPair> {
  const { privateKey, publicKey } =
    kind === 'P-256'
      ? await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
      : await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** From when until when. */
export type Validity = { readonly notBefore: Date; readonly notAfter: Date };

/** Subject alternative names: DNS names and IP addresses of a server, URIs of an agent. */
export type SubjectNames = { readonly hosts?: readonly string[]; readonly uris?: readonly string[] };

export type CertificateOrder = Validity & {
  readonly issuer: { readonly certificatePem: string; readonly privateKeyPem: string };
  /** SPKI, DER. */
  readonly publicKey: Uint8Array;
  readonly commonName: string;
  readonly names: SubjectNames;
  readonly use: 'server' | 'client';
};

/** A self-signed CA certificate, PEM. It may sign end certificates only. */
export async function createCaCertificate(
  order: Validity & { readonly keys: KeyPair; readonly commonName: string },
): Promise<string> {
  const publicKey = spkiOf(order.keys.publicKeyPem);
  const certificate = blank(order, publicKey);
  const subject = nameOf(order.commonName);
  certificate.subject = subject;
  certificate.issuer = subject;
  certificate.extensions = [
    extension('2.5.29.19', new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema(), 'critical'),
    // keyCertSign and cRLSign
    extension('2.5.29.15', keyUsage(0x06, 1), 'critical'),
    extension('2.5.29.14', new OctetString({ valueHex: keyIdentifier(publicKey) })),
  ];
  return signed(certificate, order.keys.privateKeyPem);
}

/** A certificate for a server or a client, PEM, with exactly the names given. */
export async function issueCertificate(order: CertificateOrder): Promise<string> {
  const issuer = Certificate.fromBER(derOf(order.issuer.certificatePem));
  const issuerKey = new Uint8Array(issuer.subjectPublicKeyInfo.toSchema().toBER());
  const certificate = blank(order, order.publicKey);
  certificate.subject = nameOf(order.commonName);
  certificate.issuer = issuer.subject;
  const authority = new AuthorityKeyIdentifier({
    keyIdentifier: new OctetString({ valueHex: keyIdentifier(issuerKey) }),
  });
  const purpose = order.use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  certificate.extensions = [
    extension('2.5.29.19', new BasicConstraints({ cA: false }).toSchema(), 'critical'),
    // digitalSignature
    extension('2.5.29.15', keyUsage(0x80, 7), 'critical'),
    extension('2.5.29.37', new ExtKeyUsage({ keyPurposes: [purpose] }).toSchema()),
    extension('2.5.29.17', new AltName({ altNames: generalNames(order.names) }).toSchema()),
    extension('2.5.29.35', authority.toSchema()),
    extension('2.5.29.14', new OctetString({ valueHex: keyIdentifier(order.publicKey) })),
  ];
  return signed(certificate, order.issuer.privateKeyPem);
}

/** A certificate request (PKCS #10, DER) that proves possession of the key. */
export async function createCertificateRequest(order: {
  readonly keys: KeyPair;
  readonly commonName: string;
}): Promise<Uint8Array> {
  const request = new CertificationRequest({ version: 0, subject: nameOf(order.commonName), attributes: [] });
  request.subjectPublicKeyInfo = PublicKeyInfo.fromBER(spkiOf(order.keys.publicKeyPem));
  await request.sign(await signingKey(order.keys.privateKeyPem), 'SHA-256');
  return new Uint8Array(request.toSchema(true).toBER());
}

const largestRequest = 8192;

/**
 * The public key (SPKI, DER) of a certificate request whose signature holds; undefined when it is malformed, too large, not
 * signed by its own key, or a key other than P-256 or RSA of 2048 to 4096 bits. Names in it are not looked at.
 */
export async function readCertificateRequest(der: Uint8Array): Promise<Uint8Array | undefined> {
  if (der.length > largestRequest) return undefined;
  try {
    const request = CertificationRequest.fromBER(new Uint8Array(der));
    const publicKey = new Uint8Array(request.subjectPublicKeyInfo.toSchema().toBER());
    return isAcceptable(publicKey) && (await request.verify()) ? publicKey : undefined;
  } catch {
    return undefined;
  }
}

function isAcceptable(publicKey: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return key.asymmetricKeyType === 'ec'
    ? key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    : key.asymmetricKeyType === 'rsa' && bits >= 2048 && bits <= 4096;
}

/** SHA-256 of a public key in SPKI, DER: lower-case hex in facts, base64url as the pin of a CA (D7). */
export function publicKeyHash(spki: Uint8Array, encoding: 'hex' | 'base64url'): string {
  return createHash('sha256').update(spki).digest(encoding);
}

/** SPKI in DER of a public key in PEM. */
export function spkiOf(publicKeyPem: string): Uint8Array {
  return new Uint8Array(createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }));
}

/** The certificates of a PEM file, in its order. */
export function certificatesOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function derOf(certificatePem: string): Uint8Array {
  const [only] = certificatesOf(certificatePem);
  if (only === undefined) throw new Error('there is no certificate in this PEM text');
  return new Uint8Array(Buffer.from(only.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
}

function blank({ notBefore, notAfter }: Validity, publicKey: Uint8Array): Certificate {
  const certificate = new Certificate({ version: 2 });
  const serial = randomBytes(16);
  // A positive integer of constant length (RFC 5280, 4.1.2.2).
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  certificate.serialNumber = new Integer({ valueHex: new Uint8Array(serial).buffer });
  certificate.notBefore = timeOf(notBefore);
  certificate.notAfter = timeOf(notAfter);
  certificate.subjectPublicKeyInfo = PublicKeyInfo.fromBER(new Uint8Array(publicKey));
  return certificate;
}

async function signed(certificate: Certificate, privateKeyPem: string): Promise<string> {
  await certificate.sign(await signingKey(privateKeyPem), 'SHA-256');
  const base64 = Buffer.from(certificate.toSchema(true).toBER()).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}

async function signingKey(privateKeyPem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(privateKeyPem);
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', namedCurve: curves[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'P-256' };
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign']);
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

// UTCTime ends with 2049 (RFC 5280, 4.1.2.5).
const timeOf = (instant: Date): Time => new Time({ type: instant.getUTCFullYear() < 2050 ? 0 : 1, value: instant });

const nameOf = (commonName: string): RelativeDistinguishedNames =>
  new RelativeDistinguishedNames({
    typesAndValues: [new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value: commonName }) })],
  });

function generalNames({ hosts = [], uris = [] }: SubjectNames): GeneralName[] {
  return [
    ...uris.map((uri) => new GeneralName({ type: 6, value: uri })),
    ...hosts.map((host) =>
      isIP(host) === 0
        ? new GeneralName({ type: 2, value: host })
        : new GeneralName({ type: 7, value: new OctetString({ valueHex: addressBytes(host) }) }),
    ),
  ];
}

function addressBytes(address: string): ArrayBuffer {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.'), Number).buffer;
  // The URL parser writes IPv6 in one form, with at most one `::`.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const zeros = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(tail === undefined ? 0 : zeros).fill('0'), ...groups(tail)];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]))
    .buffer;
}

// RFC 5280, 4.2.1.2, method 1: SHA-1 of the key's bits. It names a key and proves nothing.
function keyIdentifier(spki: Uint8Array): ArrayBuffer {
  const bits = PublicKeyInfo.fromBER(new Uint8Array(spki)).subjectPublicKey.valueBlock.valueHexView;
  return new Uint8Array(createHash('sha1').update(bits).digest()).buffer;
}

const keyUsage = (bits: number, unusedBits: number): BitString =>
  new BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits });

function extension(id: string, value: { toBER(): ArrayBuffer }, critical?: 'critical'): Extension {
  return new Extension({ extnID: id, critical: critical === 'critical', extnValue: value.toBER() });
}
