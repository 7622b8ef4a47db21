/**
 * What of a client's headers travels to a cluster, read from the flat list of the wire so that repeated headers stay apart
 * and none is lost. It refuses impersonation outright (D13); it drops whatever says who somebody is, what belongs to one
 * hop only, and what the server sets itself. What only the server may say is written by the agent, out of a client's reach.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { hopByHop } from '@clustral/schemas/hop-by-hop.ts';

/** Of one hop; or who somebody is, where they come from, or what only a server may say (PX-08, GW-22, D19). */
const dropped: ReadonlySet<string> = new Set([
  ...hopByHop,
  'audit-id',
  'authorization',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'x-internal-token',
  'x-real-ip',
]);
const droppedPrefixes = /^x-(?:clustral|forwarded|remote)-/;

/** A client's token as a WebSocket subprotocol (kubernetes/enhancements: WebSocket bearer authentication). */
const bearerSubprotocol = 'base64url.bearer.authorization.k8s.io.';

/** A header's name for comparing: lower case, and `_` = `-`, as some servers fold it (PX-04). */
export function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

/**
 * The client's headers as they go to the agent.
 * @param raw name, value, name, value, as Node's `rawHeaders`
 * @throws Refusal `IMPERSONATION_NOT_ALLOWED` for any header that begins with `Impersonate` (PX-03, PX-04)
 */
export function requestHeaders(raw: readonly string[]): string[] {
  const listed = listedInConnection(raw);
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const key = folded(name);
    if (key === 'impersonate' || key.startsWith('impersonate-')) throw impersonation(name);
    if (dropped.has(key) || listed.has(key) || droppedPrefixes.test(key)) continue;
    const sent = key === 'sec-websocket-protocol' ? withoutBearer(value) : value;
    if (sent !== undefined) kept.push(name, sent);
  }
  return kept;
}

/** Names that `Connection` headers list: they end at this hop too. What frames or types a body cannot be listed away. */
export function listedInConnection(raw: readonly string[]): Set<string> {
  const listed = new Set<string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (!isConnection(raw[at] ?? '')) continue;
    for (const option of (raw[at + 1] ?? '').split(',')) listed.add(folded(option.trim()));
  }
  listed.delete('content-length');
  listed.delete('content-type');
  return listed;
}

// Lengths first: most names have another, and lower-casing is what costs.
const isConnection = (name: string): boolean =>
  name.length === 'connection'.length && name.toLowerCase() === 'connection';

function withoutBearer(value: string): string | undefined {
  if (!value.toLowerCase().includes(bearerSubprotocol)) return value;
  const kept = value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => !element.toLowerCase().startsWith(bearerSubprotocol));
  return kept.length === 0 ? undefined : kept.join(', ');
}

const impersonation = (name: string): Refusal =>
  new Refusal(
    'IMPERSONATION_NOT_ALLOWED',
    `The header ${JSON.stringify(name.slice(0, 60))} is not allowed: Clustral sets who you are in the cluster. Leave out --as, --as-group and --as-uid.`,
    { rule: 'Impersonate-*' },
  );
