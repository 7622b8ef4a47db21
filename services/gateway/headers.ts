/**
 * Which of a request's headers go on behind the gateway. What says who somebody is, where they come from or what they
 * "really" asked for is written by the gateway alone; the same names from outside are dropped, whatever their spelling
 * (GW-15, GW-22, PX-05, PX-08, D19). Hop-by-hop headers end here (RFC 9110, section 7.6.1).
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // Answered by this server already; undici refuses to send it.
  'expect',
]);

const ours = new Set([
  'host',
  'forwarded',
  'x-internal-token',
  'x-correlation-id',
  'traceparent',
  'x-real-ip',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-rewrite-url',
  'x-method-override',
  'audit-id',
]);

const oursByPrefix = /^(?:x-forwarded-|x-http-method|x-remote-|x-clustral-|proxy-)/;

/** A name in the one spelling in which names are compared: lower case, `_` as `-`, because some servers fold them. */
function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

// Lengths first: most names have another, and lower-casing is what costs.
const isConnection = (name: string): boolean =>
  name.length === 'connection'.length && name.toLowerCase() === 'connection';

/** Names that the `Connection` headers of a message list: they concern this hop only. */
export function connectionListed(rawHeaders: readonly string[]): ReadonlySet<string> {
  const listed = new Set<string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (!isConnection(rawHeaders[index] ?? '')) continue;
    for (const name of (rawHeaders[index + 1] ?? '').split(',')) listed.add(folded(name.trim()));
  }
  return listed;
}

/** True for a header that the gateway writes itself or that ends at this hop. `name` in any spelling. */
export const endsHere = (name: string, listed: ReadonlySet<string>): boolean => isOurs(folded(name), listed);

function isOurs(plain: string, listed: ReadonlySet<string>): boolean {
  if (hopByHop.has(plain) || ours.has(plain) || oursByPrefix.test(plain)) return true;
  // `Connection: Impersonate-User` must not make a refused header (D13) vanish without a word.
  return listed.has(plain) && !plain.startsWith('impersonate-');
}

/**
 * The headers of a request for the kubectl path: name, value, name, value, in the order received, every line by itself,
 * without cookies and credentials, then `added`.
 */
export function onwardRawHeaders(request: IncomingMessage, added: readonly string[]): string[] {
  const { rawHeaders } = request;
  const listed = connectionListed(rawHeaders);
  const onward: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const plain = folded(name);
    if (plain === 'authorization' || plain === 'cookie' || isOurs(plain, listed)) continue;
    onward.push(name, rawHeaders[index + 1] ?? '');
  }
  onward.push(...added);
  return onward;
}

/**
 * The headers of an answer from behind, without those that ended at that hop: name, value, name, value. Values as received, one
 * line each. `added` (flat, names in lower case) goes behind them unless they have it.
 */
export function answerHeaders(rawHeaders: readonly (Buffer | string)[], added: readonly string[] = []): string[] {
  const lines = rawHeaders.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const listed = connectionListed(lines);
  const names: string[] = [];
  const onward: string[] = [];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index] ?? '';
    const plain = name.toLowerCase();
    if (hopByHop.has(plain) || plain === 'proxy-connection' || listed.has(plain)) continue;
    names.push(plain);
    onward.push(name, lines[index + 1] ?? '');
  }
  for (let index = 0; index + 1 < added.length; index += 2) {
    const name = added[index] ?? '';
    if (!names.includes(name)) onward.push(name, added[index + 1] ?? '');
  }
  return onward;
}

/** The same for headers that were read into an object. */
export function answerHeadersOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const listed = connectionListed(['connection', String(headers.connection ?? '')]);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !hopByHop.has(name) && name !== 'proxy-connection' && !listed.has(name)),
  );
}

/** All values of a header, in order; Node's own `headers` drops or joins some of them. */
export function valuesOf(request: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] {
  const { rawHeaders } = request;
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const header = rawHeaders[index] ?? '';
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '');
  }
  return values;
}
