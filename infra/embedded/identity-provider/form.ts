/** Reads a posted form (`application/x-www-form-urlencoded`) of at most 8 KiB; anything else is refused. */
import type { IncomingMessage } from 'node:http';
import { errors } from 'oidc-provider';

const maxBytes = 8_192;

/** Throws `invalid_request` for another content type or a longer body. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new errors.InvalidRequest('the form must be sent as application/x-www-form-urlencoded');
  }
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of request) {
    received += chunk.length;
    if (received > maxBytes) throw new errors.InvalidRequest(`the form is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
