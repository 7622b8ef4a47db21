/**
 * JSON bodies of the admin API, REST and Connect, before they go on: one that names a key twice is refused, because whoever reads it
 * next could take the other value than whoever read it first (GW-13). Everything else about a body is its reader's to say.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { repeatedKey } from '@clustral/kernel/json-keys.ts';

/** A message in a Connect stream comes behind a byte of flags and four of length. */
const envelopeBytes = 5;

/** Throws `BAD_REQUEST` with the key. `body` = the whole body, as it came. */
export function refuseRepeatedKeys(body: unknown, contentType: string | undefined): void {
  if (!Buffer.isBuffer(body) || contentType === undefined) return;
  const [, streamed] = /^application\/(connect\+)?json\b/i.exec(contentType.trim()) ?? [undefined, null];
  if (streamed === null) return;
  const key = repeatedKey(streamed === undefined ? body : body.subarray(envelopeBytes));
  if (key === undefined) return;
  throw new Refusal(
    'BAD_REQUEST',
    `The body names ${JSON.stringify(key.slice(0, 60))} twice in one object. Send each name once.`,
  );
}
