/**
 * Takes the cluster's id and the rest of the address out of a raw request target, byte for byte: what goes on to the
 * cluster is what the client sent, never decoded, joined or normalised (PX-10). It refuses what two readers could
 * understand differently: dot segments in any spelling that one decode reveals (PX-09), and bytes that are no address.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { parseClusterId, type ClusterId } from '@clustral/schemas/ids.ts';

/** What stands before the cluster's id. */
export const proxyPrefix = '/api/proxy/';

/** A request target, split. `target` is what the API server is asked, as sent; it always starts with `/`. */
export type ProxyTarget = { readonly clusterId: ClusterId; readonly target: string };

/**
 * Splits `/api/proxy/{clusterId}{rest}`.
 * @param raw the request target as received, one char per byte
 * @throws Refusal `INVALID_CLUSTER_ID` (PX-01) or `INVALID_PATH` (PX-09, PX-11)
 */
export function splitTarget(raw: string): ProxyTarget {
  if (!raw.startsWith(proxyPrefix)) {
    throw new Refusal('INVALID_PATH', `This address is only good for paths below ${proxyPrefix}<cluster id>/.`);
  }
  const rest = raw.slice(proxyPrefix.length);
  const end = rest.search(/[/?]/);
  const clusterId = parseClusterId(end < 0 ? rest : rest.slice(0, end));
  const target = end < 0 ? '' : rest.slice(end);
  refuseOddPath(target);
  return { clusterId, target: target.startsWith('/') ? target : `/${target}` };
}

// `;` begins parameters in some servers, `\` is a slash in others; both would hide a dot segment from the next one.
const dotSegment = /(?:^|[/\\])\.{1,2}(?:[/\\;]|$)/;

function refuseOddPath(target: string): void {
  // Space, control bytes and DEL cannot stand in a request target (RFC 9112, section 3.2).
  if (/[^\x21-\x7e\x80-\xff]/.test(target)) {
    throw new Refusal('INVALID_PATH', 'The path holds a blank or a control character.');
  }
  const query = target.indexOf('?');
  const path = decodeOnce(query < 0 ? target : target.slice(0, query));
  if (dotSegment.test(path)) {
    throw new Refusal('INVALID_PATH', "The path holds a '.' or '..' segment, which is not carried to a cluster.");
  }
}

/** Percent-decodes once, byte for byte. What is no escape stays as it is. */
export function decodeOnce(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
