/**
 * Certificates that no library of ours would make: a good one is taken apart, changed, and signed again with the issuer's own key, so
 * that nothing but the change can be the reason of a refusal (TN-01). For P-256 issuers.
 */
import { createSign } from 'node:crypto';

/** An ASN.1 element in DER: a tag with bytes, or with the elements that they hold. */
type Element = { readonly tag: number; value: Buffer | Element[] };

const oid = {
  ecdsaWithSha256: Buffer.from('2a8648ce3d040302', 'hex'),
  ecdsaWithSha1: Buffer.from('2a8648ce3d0401', 'hex'),
  basicConstraints: Buffer.from('551d13', 'hex'),
  keyUsage: Buffer.from('551d0f', 'hex'),
};
const sequence = 0x30;
const octetString = 0x04;
const isTrue: Element = { tag: 0x01, value: Buffer.of(0xff) };

/** `any use`: without the key usage, which would take back what the rest says. */
export type Bending = { readonly isCa?: 'as it is' | 'any use'; readonly digest?: 'sha1' };

/** The certificate (PEM) with what is asked, as its issuer would have signed it. */
export function bentCertificate(pem: string, issuerKeyPem: string, { isCa, digest }: Bending): string {
  const [certificate] = parse(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')) as [Element];
  const [tbs, algorithm, signature] = certificate.value as [Element, Element, Element];
  if (digest === 'sha1') {
    for (const named of [algorithm, (tbs.value as Element[])[2]])
      replace(named as Element, oid.ecdsaWithSha256, oid.ecdsaWithSha1);
  }
  if (isCa) becomeCa(tbs, isCa === 'any use' ? [oid.basicConstraints, oid.keyUsage] : [oid.basicConstraints]);
  const signed = createSign(digest ?? 'sha256')
    .update(encode(tbs))
    .sign(issuerKeyPem);
  signature.value = Buffer.concat([Buffer.of(0), signed]);
  const base64 = encode({ tag: sequence, value: [tbs, algorithm, signature] }).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}

function becomeCa(tbs: Element, replaced: readonly Buffer[]): void {
  const [wrapped] = (tbs.value as Element[]).slice(-1) as [Element];
  const [extensions] = wrapped.value as [Element];
  const isReplaced = ({ value }: Element): boolean =>
    replaced.some((id) => id.equals((value as Element[])[0]?.value as Buffer));
  const constraints = encode({ tag: sequence, value: [isTrue] });
  const added = [{ tag: 0x06, value: oid.basicConstraints }, isTrue, { tag: octetString, value: constraints }];
  const others = (extensions.value as Element[]).filter((one) => !isReplaced(one));
  extensions.value = [...others, { tag: sequence, value: added }];
}

function replace(element: Element, from: Buffer, to: Buffer): void {
  if (Array.isArray(element.value)) for (const inner of element.value) replace(inner, from, to);
  else if (element.value.equals(from)) element.value = to;
}

function parse(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const begin = at + 2 + more;
    const inside = bytes.subarray(begin, begin + length);
    elements.push({ tag, value: (tag & 0x20) === 0 ? Buffer.from(inside) : parse(inside) });
    at = begin + length;
  }
  return elements;
}

function encode({ tag, value }: Element): Buffer {
  const inside = Array.isArray(value) ? Buffer.concat(value.map(encode)) : value;
  if (inside.length < 0x80) return Buffer.concat([Buffer.of(tag, inside.length), inside]);
  const more = inside.length < 0x100 ? 1 : 2;
  const length = Buffer.alloc(more);
  length.writeUIntBE(inside.length, 0, more);
  return Buffer.concat([Buffer.of(tag, 0x80 | more), length, inside]);
}
