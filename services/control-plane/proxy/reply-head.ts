/**
 * What of an API server's answer reaches the client, decided on its head. It refuses answers that would blame the person
 * for the agent's token, lead a client elsewhere, or are no HTTP (PX-12, PX-20, D37), and drops headers with which a pod
 * behind the proxy could act on our own origin (PX-21).
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { hopByHop } from '@clustral/schemas/hop-by-hop.ts';
import { folded, listedInConnection } from './headers.ts';

/** Where the answer goes. */
export type ReplyContext = {
  readonly method: string;
  /** What a `Location` of one leading slash gets in front: `/api/proxy/{clusterId}`. */
  readonly prefix: string;
  /** True below a `…/proxy` subresource: the answer is a service's, its 401 too (D37). */
  readonly service: boolean;
  /** The protocol that the client asked to switch to, if it did. */
  readonly asked?: string | undefined;
};

/** A head that may be sent. `length` is the announced body length, 0 where there is no body, undefined when unknown. */
export type ReplyHead = {
  readonly status: number;
  readonly headers: string[];
  readonly length: number | undefined;
};

const dropped: ReadonlySet<string> = new Set([
  ...hopByHop,
  'set-cookie',
  'clear-site-data',
  'service-worker-allowed',
  'x-content-type-options',
  'x-correlation-id',
  'traceresponse',
]);
const droppedPrefixes = /^x-(?:accel|clustral)-/;

/** RFC 9110, section 5.6.2 and 5.5; one char per byte. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const valueForm = /^[\t\x20-\x7e\x80-\xff]*$/;
const largestHead = 65_536;

/**
 * The head for the client.
 * @param raw name, value, name, value, as the agent read them
 * @throws Refusal `AGENT_ERROR` when the answer must not be passed on
 */
export function replyHead(status: number, raw: readonly string[], context: ReplyContext): ReplyHead {
  refuseBroken(status, raw);
  if (status === 101) return switchedHead(raw, context.asked);
  // Followed by the client, it would take the stream to another place.
  if (context.asked !== undefined && status >= 300 && status <= 399) throw redirected();
  if (status === 401 && !context.service) {
    throw new Refusal(
      'AGENT_ERROR',
      "The cluster's API server does not accept the agent's own token. Your sign-in is fine; look at the agent's log and its service account.",
    );
  }
  const listed = listedInConnection(raw);
  const headers: string[] = [];
  let length: number | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const key = folded(name);
    if (endsHere(key, listed)) continue;
    if (key === 'content-length') length = announced(value, length);
    else if (key === 'location') headers.push(...location(name, value, { status, prefix: context.prefix }));
    else headers.push(name, value);
  }
  const bodyless = hasNoBody(context.method, status);
  // A 204 has no length (RFC 9110, section 8.6); of HEAD and 304 it is the length that a GET would have.
  if (length !== undefined && status !== 204) headers.push('Content-Length', String(length));
  if (status === 401) headers.push('X-Clustral-Upstream', 'service');
  headers.push('X-Content-Type-Options', 'nosniff', 'Content-Security-Policy', 'sandbox');
  return { status, headers, length: bodyless ? 0 : length };
}

/** A 101, which must be to the protocol that was asked for and to nothing beside it; what follows has no length. */
function switchedHead(raw: readonly string[], asked: string | undefined): ReplyHead {
  const protocols = raw.filter((_, at) => at % 2 === 1 && folded(raw[at - 1] ?? '') === 'upgrade');
  const [protocol = ''] = protocols;
  if (asked === undefined || protocols.length !== 1 || protocol.toLowerCase() !== asked.toLowerCase()) {
    throw broken('with a switch to a protocol that was not asked for');
  }
  const listed = listedInConnection(raw).add('content-length');
  const headers = raw.filter((_, at) => !endsHere(folded(raw[at - (at % 2)] ?? ''), listed));
  return { status: 101, headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', protocol], length: undefined };
}

/** True for a header that does not reach the client. `key` is folded. */
const endsHere = (key: string, listed: ReadonlySet<string>): boolean =>
  dropped.has(key) || listed.has(key) || droppedPrefixes.test(key);

/** True for answers that never have a body (RFC 9110, sections 9.3.2, 15.3.5, 15.4.5). */
export function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

function refuseBroken(status: number, raw: readonly string[]): void {
  // The other 1xx are between the agent and its API server.
  if (!Number.isInteger(status) || (status < 200 && status !== 101) || status > 599)
    throw broken(`with the status ${status}`);
  if (raw.length % 2 !== 0) throw broken('with a header without a value');
  let size = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    size += name.length + value.length + 4;
    if (!nameForm.test(name) || !valueForm.test(value)) throw broken('with a malformed header');
  }
  if (size > largestHead) throw broken(`with more than ${largestHead} bytes of headers`);
}

function announced(value: string, before: number | undefined): number {
  if (before !== undefined) throw broken('with two lengths');
  if (!/^\d{1,15}$/.test(value)) throw broken('with a malformed length');
  return Number(value);
}

function location(name: string, value: string, { status, prefix }: { status: number; prefix: string }): string[] {
  // A browser takes `//` and `/\` for another host.
  if (/^\/(?![/\\])/.test(value)) return [name, prefix + value];
  if (status >= 300 && status < 400) {
    throw redirected();
  }
  return [];
}

const redirected = (): Refusal =>
  new Refusal(
    'AGENT_ERROR',
    'The cluster answered with a redirect to another place, which is not followed and not passed on.',
  );

const broken = (how: string): Refusal =>
  new Refusal('AGENT_ERROR', `The cluster's API server answered ${how}. Nothing of it was passed on.`);
