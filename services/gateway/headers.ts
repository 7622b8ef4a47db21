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

const oursByPrefix = ['x-forwarded-', 'x-http-method', 'x-remote-', 'x-clustral-', 'proxy-'];

/** A name in the one spelling in which names are compared: lower case, `_` as `-`, because some servers fold them. */
const folded = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Names that the `Connection` headers of a message list: they concern this hop only. */
export function connectionListed(rawHeaders: readonly string[]): ReadonlySet<string> {
  const listed = new Set<string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'connection') continue;
    for (const name of (rawHeaders[index + 1] ?? '').split(',')) listed.add(folded(name.trim()));
  }
  return listed;
}

/** True for a header that the gateway writes itself or that ends at this hop. `name` in any spelling. */
export function endsHere(name: string, listed: ReadonlySet<string>): boolean {
  const plain = folded(name);
  if (hopByHop.has(plain) || ours.has(plain) || oursByPrefix.some((prefix) => plain.startsWith(prefix))) return true;
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
    if (endsHere(name, listed) || isCredential(name)) continue;
    onward.push(name, rawHeaders[index + 1] ?? '');
  }
  onward.push(...added);
  return onward;
}

const isCredential = (name: string): boolean => {
  const plain = folded(name);
  return plain === 'authorization' || plain === 'cookie';
};

/** The headers of an answer from behind, without those that ended at that hop. Values as received, one line each. */
export function answerHeaders(rawHeaders: readonly (Buffer | string)[]): string[] {
  const lines = rawHeaders.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const listed = connectionListed(lines);
  const onward: string[] = [];
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index] ?? '';
    const plain = name.toLowerCase();
    if (hopByHop.has(plain) || plain === 'proxy-connection' || listed.has(plain)) continue;
    onward.push(name, lines[index + 1] ?? '');
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
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '');
  }
  return values;
}
