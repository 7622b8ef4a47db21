/**
 * What a certificate says, read exactly: every common name, every subject alternative name as its own value, so that neither a
 * second name nor a NUL, comma or escape in one can pass for another (TN-02). It trusts nothing: whether the certificate
 * counts is the caller's decision, `isIssuedBy` included.
 */
import { X509Certificate } from 'node:crypto';
import { AltName, BasicConstraints, Certificate } from 'pkijs';
import { publicKeyHash } from './x509.ts';

export type CertificateDetails = {
  readonly commonNames: readonly string[];
  /** Alternative names of type URI, in order. */
  readonly uris: readonly string[];
  /** How many alternative names of other types there are. */
  readonly otherNames: number;
  /** True when it may sign others, and also when it only says so: OpenSSL wants the key usage as well. */
  readonly isCa: boolean;
  /** Extended key usages as OIDs; empty when the extension is missing. */
  readonly purposes: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the certificate in DER, lower-case hex. */
  readonly fingerprint: string;
  /** SHA-256 of the public key in SPKI, lower-case hex. */
  readonly publicKeyHash: string;
  readonly serialNumber: string;
};

export const clientAuthentication = '1.3.6.1.5.5.7.3.2';

const commonName = '2.5.4.3';
const subjectAlternativeName = '2.5.29.17';
const uriName = 6;

/** Reads one certificate, PEM or DER. Throws when it is malformed. */
export function readCertificate(certificate: string | Uint8Array): CertificateDetails {
  const outer = new X509Certificate(certificate);
  const inner = Certificate.fromBER(new Uint8Array(outer.raw));
  const names = alternativeNames(inner);
  return {
    commonNames: inner.subject.typesAndValues
      .filter(({ type }) => type === commonName)
      .map(({ value }) => String(value.valueBlock.value)),
    uris: names.filter(({ type }) => type === uriName).map(({ value }) => String(value)),
    otherNames: names.filter(({ type }) => type !== uriName).length,
    isCa: outer.ca || claimsToBeCa(inner),
    purposes: outer.keyUsage ?? [],
    notBefore: outer.validFromDate,
    notAfter: outer.validToDate,
    fingerprint: outer.fingerprint256.replaceAll(':', '').toLowerCase(),
    publicKeyHash: publicKeyHash(outer.publicKey.export({ type: 'spki', format: 'der' }), 'hex'),
    serialNumber: outer.serialNumber.toLowerCase(),
  };
}

function alternativeNames(certificate: Certificate): readonly { readonly type: number; readonly value: unknown }[] {
  return (certificate.extensions ?? [])
    .filter(({ extnID }) => extnID === subjectAlternativeName)
    .flatMap(({ parsedValue }) => (parsedValue instanceof AltName ? parsedValue.altNames : []));
}

function claimsToBeCa(certificate: Certificate): boolean {
  return (certificate.extensions ?? []).some(
    ({ parsedValue }) => parsedValue instanceof BasicConstraints && parsedValue.cA,
  );
}

// SHA-256, -384 and -512 with RSA or ECDSA: nothing that rests on SHA-1 (TN-01).
const strongSignatures = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
]);

/**
 * True when one of the CAs (PEM, one certificate each) signed the certificate with a strong algorithm and is itself within
 * its dates. Chains have two certificates here: a CA of ours signs end certificates only.
 */
export function isIssuedBy(certificate: Uint8Array, authorities: readonly string[], now: Date): boolean {
  const outer = new X509Certificate(certificate);
  if (!strongSignatures.has(Certificate.fromBER(new Uint8Array(outer.raw)).signatureAlgorithm.algorithmId))
    return false;
  return authorities.some((pem) => {
    const authority = new X509Certificate(pem);
    return (
      authority.ca &&
      authority.validFromDate <= now &&
      now <= authority.validToDate &&
      outer.checkIssued(authority) &&
      outer.verify(authority.publicKey)
    );
  });
}
