/**
 * Where a request came from. `X-Forwarded-For` counts only as far as the machines that wrote it are trusted
 * (`TRUSTED_PROXIES`, D31): read from the right, the first address that is not a trusted proxy's is the client's, and
 * whatever stands further left is the client's own text (GW-22).
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** Finds the client's address of a connection's peer and the `X-Forwarded-For` values, in the order received. */
export type AddressOf = (peer: string | undefined, forwardedFor: readonly string[]) => string;

/** What is wrong with a list of networks in CIDR form; a bare address is a network of one. */
export function problemWithNetworks(networks: readonly string[]): string[] {
  return networks.filter((network) => parseNetwork(network) === undefined).map((bad) => `'${bad}' is not a network`);
}

/** Throws when a network is malformed: the configuration was not checked with `problemWithNetworks`. */
export function createAddressOf(trustedNetworks: readonly string[]): AddressOf {
  const trusted = new BlockList();
  for (const network of trustedNetworks) {
    const parsed = parseNetwork(network);
    if (!parsed) throw new Error(`'${network}' is not a network`);
    trusted.addSubnet(parsed.address, parsed.prefix, parsed.family);
  }
  const isTrusted = (address: string): boolean => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return (peer, forwardedFor) => {
    let address = plain(peer ?? '');
    if (isIP(address) === 0) return 'unknown';
    if (forwardedFor.length === 0 || !isTrusted(address)) return address;
    for (const entry of forwardedFor.join(',').split(',').toReversed()) {
      const before = plain(entry.trim());
      // Text that is no address was not written by a proxy of ours: what is right of it is the last thing known.
      if (isIP(before) === 0) return address;
      address = before;
      if (!isTrusted(address)) return address;
    }
    return address;
  };
}

/** The key under which an address is counted: an IPv4 address, or the /64 of an IPv6 one, which one person may hold (D31). */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  const groups = [...front, ...(tail === undefined ? [] : zeros), ...back].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

// A dual-stack socket shows IPv4 peers as `::ffff:192.0.2.1`; a zone (`%eth0`) says nothing to anybody else.
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');

type Network = { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' };

function parseNetwork(network: string): Network | undefined {
  const [address = '', length, ...rest] = network.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = length === undefined ? longest : Number(length);
  return prefix > longest ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}
