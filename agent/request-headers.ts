/**
 * What a request says to the API server about who makes it. Whatever came along in its headers about identity is dropped, once
 * more and whoever let it through; then exactly one user, the groups, and this agent's own token are added. The rule it
 * lives by: nothing leaves without an impersonated user, since it would count as the agent itself.
 */
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import { hopByHop } from '@clustral/schemas/hop-by-hop.ts';

const dropped: ReadonlySet<string> = new Set([
  ...hopByHop,
  'audit-id',
  'authorization',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'impersonate',
  'x-internal-token',
]);
const droppedPrefixes = /^(?:impersonate|x-clustral|x-forwarded|x-remote)-/;

/** A token as a WebSocket subprotocol: API servers take it for whoever asks. */
const bearerSubprotocol = 'base64url.bearer.authorization.k8s.io.';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const target = /^\/[\x21-\x7e\x80-\xff]*$/;
const mostGroups = 256;

/** Why a head cannot be sent at all; undefined when it can. It repeats nothing of it. */
export function headProblem(head: RequestHead): string | undefined {
  if (!token.test(head.method) || head.method === 'CONNECT') return 'The request has a method that is not carried.';
  if (!target.test(head.target)) return 'The request has a malformed target.';
  if (head.headers.length % 2 !== 0) return 'The request has a header without a value.';
  if (!head.headers.every((line, index) => (index % 2 === 0 ? token : fieldValue).test(line))) {
    return 'The request has a malformed header.';
  }
  if (!isName(head.impersonateUser)) return 'The request does not say as whom it is made.';
  if (head.impersonateGroups.length > mostGroups || !head.impersonateGroups.every(isName)) {
    return 'The request has groups that cannot be sent.';
  }
  if (!/^[\x21-\x7e]{0,128}$/.test(head.requestId)) return 'The request has a malformed id.';
  return undefined;
}

// Any text that can stand in a header line as it is: a server may cut blanks at the ends, and so make another name of it.
const isName = (name: string): boolean => name !== '' && name.trim() === name && !/[\p{Cc}\p{Cs}]/u.test(name);

/**
 * Headers for the API server: name, value, name, value, names in lower case, one char per byte. Each group has a line of its own
 * (PX-14); names travel in UTF-8 (PX-15). The head must have no problem. An empty token is not sent: the agent is then known by
 * its client certificate.
 */
export function requestHeaders(head: RequestHead, agentToken: string): string[] {
  const headers = kept(head.headers);
  if (agentToken !== '') headers.push('authorization', `Bearer ${agentToken}`);
  headers.push('impersonate-user', utf8(head.impersonateUser));
  for (const group of head.impersonateGroups) headers.push('impersonate-group', utf8(group));
  // The cluster's audit log and ours name the same request (D19).
  if (head.requestId !== '') headers.push('audit-id', head.requestId);
  return headers;
}

function kept(raw: readonly string[]): string[] {
  const listed = listedInConnection(raw);
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const key = folded(name);
    if (dropped.has(key) || listed.has(key) || droppedPrefixes.test(key)) continue;
    const value = raw[at + 1] ?? '';
    const sent = key === 'sec-websocket-protocol' ? withoutBearer(value) : value;
    if (sent !== '' || value === '') headers.push(name, sent);
  }
  return headers;
}

// Some servers take `_` for `-` (PX-04).
const folded = (lower: string): string => (lower.includes('_') ? lower.replaceAll('_', '-') : lower);

// Of several subprotocols one may be a token, and with a token somebody else's name (PX-08).
function withoutBearer(subprotocols: string): string {
  if (!subprotocols.toLowerCase().includes(bearerSubprotocol)) return subprotocols;
  const elements = subprotocols.split(',').map((element) => element.trim());
  return elements.filter((element) => !element.toLowerCase().startsWith(bearerSubprotocol)).join(', ');
}

// Headers that `Connection` lists end at this hop too, but what frames or types a body cannot be listed away.
function listedInConnection(raw: readonly string[]): ReadonlySet<string> {
  const listed = new Set<string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if ((raw[at] ?? '').toLowerCase() !== 'connection') continue;
    for (const option of (raw[at + 1] ?? '').split(',')) listed.add(folded(option.trim().toLowerCase()));
  }
  listed.delete('content-length');
  listed.delete('content-type');
  return listed;
}

function utf8(text: string): string {
  // Plain ASCII is its own UTF-8.
  return /^[\x20-\x7e]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** True for requests that are expected to stay open: watches, followed logs, and whatever a proxied service does. */
export function isLong({ target: path }: Pick<RequestHead, 'target'>): boolean {
  const [, query = ''] = path.split('?', 2);
  return (
    /(?:^|&)(?:watch|follow)=(?:true|1|t|T|True|TRUE)(?:&|$)/.test(query) || /\/(?:watch|proxy)(?:\/|\?|$)/.test(path)
  );
}
