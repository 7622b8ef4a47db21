/**
 * Secrets that have to be put down somewhere, in a file or in a cookie: AES-256-GCM (NIST SP 800-38D) with a random nonce. What was
 * sealed for one purpose opens for no other, so that a row cannot be moved to another session, nor a cookie become a row.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export type Sealer = {
  seal(purpose: string, content: string): Buffer;
  /** The content, or nothing when it was not sealed by one of the keys for this purpose, or was changed. */
  open(purpose: string, sealed: Uint8Array): string | undefined;
};

const keyBytes = 32;
const sizes = { keyId: 4, nonce: 12, tag: 16 } as const;
const headBytes = sizes.keyId + sizes.nonce + sizes.tag;

type Key = { readonly id: Buffer; readonly secret: Buffer };

/** A sealer with one or more keys of 32 bytes: the first one seals, every one opens. */
export function createSealer(secrets: readonly [Buffer, ...Buffer[]]): Sealer {
  const keyOf = (secret: Buffer): Key => ({
    id: createHash('sha256').update(secret).digest().subarray(0, sizes.keyId),
    secret,
  });
  const current = keyOf(secrets[0]);
  const keys = secrets.map(keyOf);
  return {
    seal(purpose, content) {
      const nonce = randomBytes(sizes.nonce);
      const cipher = createCipheriv('aes-256-gcm', current.secret, nonce);
      cipher.setAAD(Buffer.from(purpose));
      const text = Buffer.concat([cipher.update(content, 'utf8'), cipher.final()]);
      return Buffer.concat([current.id, nonce, cipher.getAuthTag(), text]);
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed);
      if (bytes.length < headBytes) return undefined;
      const key = keys.find(({ id }) => id.equals(bytes.subarray(0, sizes.keyId)));
      return key && decrypt(key, purpose, bytes);
    },
  };
}

function decrypt({ secret }: Key, purpose: string, bytes: Buffer): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(sizes.keyId, sizes.keyId + sizes.nonce));
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(sizes.keyId + sizes.nonce, headBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(headBytes)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

/**
 * The keys of a file: one of 32 bytes in base64 a line, the newest first, two at most, so that one can be replaced without signing
 * everybody out. Throws in words.
 */
export function parseKeys(text: string): readonly [Buffer, ...Buffer[]] {
  const keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'base64'));
  const [first, ...others] = keys;
  if (first === undefined || others.length > 1 || keys.some(({ length }) => length !== keyBytes))
    throw new Error(`it must hold one or two lines, each a key of ${keyBytes} bytes in base64`);
  return [first, ...others];
}

/** A new key as it is written to a file. */
export const newKey = (): string => `${randomBytes(keyBytes).toString('base64')}\n`;
