/**
 * Whether a request that the session's cookie came with was made by a page of ours (UI-04). The cookie proves nothing about that:
 * `SameSite` lets through every other port of the same host. Two headers that no script can write decide: `Origin` and
 * `Sec-Fetch-Site` (W3C Fetch Metadata), which older browsers do not send.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '@clustral/schemas/errors.ts';

type Headers = Pick<IncomingHttpHeaders, 'origin' | 'sec-fetch-site'>;

/** What speaks against a request that changes something, or nothing. `Origin` must be there. */
export function foreignCall(headers: Headers, origin: string): string | undefined {
  if (headers.origin === undefined) return 'it does not say which page it comes from';
  if (headers['sec-fetch-site'] === 'none') return 'no page made it';
  return foreignRead(headers, origin);
}

/** The same for a request that only reads: browsers send it without `Origin`, and a person may have typed its address. */
export function foreignRead({ origin: from, 'sec-fetch-site': site }: Headers, origin: string): string | undefined {
  const isOwn =
    (from === undefined || from === origin) && (site === undefined || site === 'same-origin' || site === 'none');
  return isOwn ? undefined : 'it comes from a page of another origin';
}

/** Throws `FORBIDDEN` for what speaks against a request. */
export function refuseForeign(problem: string | undefined): void {
  if (problem !== undefined) throw new Refusal('FORBIDDEN', `This call is refused: ${problem}.`);
}
