/**
 * Bootstrap tokens: made, made again for a repeated command, and compared (D33). The log keeps what is needed to make one
 * again and a hash to compare by, never the token. The rule it lives by: without the key in `BOOTSTRAP_TOKEN_KEY_PATH`, the
 * log alone gives nobody a token.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { formatBootstrapToken } from '@clustral/schemas/bootstrap-token.ts';
import type { BootstrapToken } from '@clustral/schemas/events/cluster.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';

/** How long a token may be redeemed (TN-06). */
const lifeMs = 24 * 3_600_000;
const label = 'clustral bootstrap token 1';

/** An HMAC key of 32 bytes, known by the first 16 hex digits of its SHA-256. */
type TokenKey = { readonly keyId: string; readonly secret: Buffer };

/** A token to be shown once, and what the log keeps of it. */
export type IssuedBootstrapToken = { readonly token: string; readonly record: BootstrapToken };

export type BootstrapTokens = {
  /** A new token, good for 24 hours. */
  issue(clusterId: ClusterId): IssuedBootstrapToken;
  /** The token of a record again; undefined when its key is no longer kept. */
  again(clusterId: ClusterId, record: BootstrapToken): string | undefined;
};

export type BootstrapTokenOptions = {
  /** The text of the key file: one base64 key of 32 bytes a line, the newest first, two at most. */
  readonly keys: string;
  /** SHA-256 of the CA's public key (SPKI), base64url: how the agent knows the server (D7). */
  readonly caPin: string;
  readonly now: () => Date;
  readonly random: (bytes: number) => Buffer;
};

/** Throws when the key file is not what it should be. */
export function createBootstrapTokens({ keys, caPin, now, random }: BootstrapTokenOptions): BootstrapTokens {
  const known = keysOf(keys);
  const [current] = known;
  const make = (key: TokenKey, clusterId: ClusterId, from: Pick<BootstrapToken, 'nonce' | 'caPin'>): string => {
    // Each part has one form and no NUL, so no two lists of parts are one message.
    const message = [label, clusterId, from.nonce, from.caPin].join('\0');
    const secret = createHmac('sha256', key.secret).update(message).digest('base64url');
    return formatBootstrapToken({ caPin: from.caPin, secret });
  };
  return {
    issue(clusterId) {
      const nonce = random(16).toString('base64url');
      const token = make(current, clusterId, { nonce, caPin });
      const expiresAt = new Date(now().getTime() + lifeMs).toISOString();
      return { token, record: { nonce, keyId: current.keyId, caPin, hash: hashOf(token), expiresAt } };
    },
    again(clusterId, record) {
      const key = known.find(({ keyId }) => keyId === record.keyId);
      return key && make(key, clusterId, record);
    },
  };
}

/** SHA-256 of a token, lower-case hex. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** True when the presented token is the recorded one. Takes the same time for every answer, also without a record (TN-06). */
export function isToken(presented: string, record: Pick<BootstrapToken, 'hash'> | undefined): boolean {
  const expected = record?.hash ?? '0'.repeat(64);
  return timingSafeEqual(Buffer.from(hashOf(presented)), Buffer.from(expected)) && record !== undefined;
}

function keysOf(text: string): readonly [TokenKey, ...TokenKey[]] {
  const lines = text.split(/\s+/).filter((line) => line !== '');
  const keys = lines.map((line) => {
    const secret = Buffer.from(line, 'base64');
    if (secret.length !== 32)
      throw new Error('BOOTSTRAP_TOKEN_KEY_PATH: each line must be one key of 32 bytes in base64');
    return { keyId: createHash('sha256').update(secret).digest('hex').slice(0, 16), secret };
  });
  const [current, ...older] = keys;
  if (!current || older.length > 1)
    throw new Error('BOOTSTRAP_TOKEN_KEY_PATH: the file must hold one key, or the new one and the one before it');
  return [current, ...older];
}
