/**
 * What the embedded identity provider must keep to itself: the signing key, the key of its cookies and the secret of
 * the web client. Each is made once per data folder, so that no two installations share one (SC-01), and survives a
 * restart, so that tokens and sessions do.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

export type Secrets = {
  /** Private RSA JWKs, the first one signs. */
  readonly signingKeys: readonly JWK[];
  readonly cookieKeys: readonly string[];
  readonly webClientSecret: string;
};

/**
 * Reads the secrets, making those that are missing, and leaves the web client's secret in the 0600 file
 * `web-client-secret` of the folder for the process that signs in with it.
 */
export async function readOrMakeSecrets(database: DatabaseSync, dataFolder: string): Promise<Secrets> {
  const keep = async (name: string, make: () => Promise<string> | string): Promise<string> => {
    const select = database.prepare('SELECT value FROM secrets WHERE name = ?');
    const stored = select.get(name)?.['value'];
    if (typeof stored === 'string') return stored;
    database.prepare('INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)').run(name, await make());
    return String(select.get(name)?.['value']);
  };
  const signingKeys = JSON.parse(await keep('signing_keys', async () => JSON.stringify([await makeSigningKey()])));
  const cookieKeys = JSON.parse(await keep('cookie_keys', () => JSON.stringify([randomText()])));
  const webClientSecret = await keep('web_client_secret', randomText);
  writeSecretFile(join(dataFolder, 'web-client-secret'), webClientSecret);
  return { signingKeys, cookieKeys, webClientSecret };
}

async function makeSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'RS256', use: 'sig' };
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}

/** A reader finds the whole old text or the whole new one, never a part: written beside, flushed, renamed. */
function writeSecretFile(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) {
    chmodSync(path, 0o600);
    return;
  }
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(draft, 'wx', 0o600);
  writeFileSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}
