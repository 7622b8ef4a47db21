/** No secret is committed (SC-01): no private key in any form that tools write, in a file of any kind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { committedFiles, root } from './committed-files.ts';

/** PEM of any private key with its first bytes, OpenSSH's included; a JWK with its private part. */
const pem = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}/;
const jwk = /"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/;
/** SEQUENCE of a length in two bytes, then INTEGER 3: the version of every PKCS #12 file. */
const isPkcs12 = (bytes: Buffer): boolean =>
  bytes.subarray(0, 2).equals(Buffer.of(0x30, 0x82)) && bytes.subarray(4, 7).equals(Buffer.of(2, 1, 3));

const holdsKey = (bytes: Buffer): boolean => {
  const text = bytes.toString('latin1');
  return pem.test(text) || jwk.test(text) || isPkcs12(bytes);
};

describe('SC-01 what is committed', () => {
  it('holds no private key', () => {
    expect(committedFiles().filter((file) => holdsKey(readFileSync(join(root, file))))).toEqual([]);
  });

  it('holds no environment file', () => {
    expect(committedFiles().filter((file) => /(^|\/)\.env(?:\.|$)/.test(file))).toEqual([]);
  });

  it('would be noticed if it did', () => {
    const line = Buffer.from('MIGHAgEAMBMGByqGSM49AgEGCCqGSM49').toString();
    for (const kind of ['PRIVATE', 'EC PRIVATE', 'RSA PRIVATE', 'OPENSSH PRIVATE'])
      expect(holdsKey(Buffer.from(`-----BEGIN ${kind} KEY-----\n${line}\n`))).toBe(true);
    expect(holdsKey(Buffer.from(`{"d" : "${'a'.repeat(43)}"}`))).toBe(true);
    expect(holdsKey(Buffer.from('3082098c020103', 'hex'))).toBe(true);
  });
});
