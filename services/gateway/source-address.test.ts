import { describe, expect, it } from 'vitest';
import { addressGroup, createAddressOf, problemWithNetworks } from './source-address.ts';

describe('where a request came from', () => {
  const addressOf = createAddressOf(['127.0.0.0/8', '::1', '10.0.0.0/8', 'fd00::/8']);

  it.each([
    ['a stranger is believed nothing', '203.0.113.9', ['1.2.3.4'], '203.0.113.9'],
    ['a trusted proxy is believed its last word', '127.0.0.1', ['1.2.3.4, 203.0.113.9'], '203.0.113.9'],
    [
      'a chain of trusted proxies is walked from the right',
      '10.0.0.2',
      ['9.9.9.9, 203.0.113.9, 10.0.0.7'],
      '203.0.113.9',
    ],
    ['several headers are one list', '10.0.0.2', ['203.0.113.9', '10.0.0.7'], '203.0.113.9'],
    ['an IPv4 peer on a dual-stack socket is IPv4', '::ffff:127.0.0.1', ['2001:db8::1'], '2001:db8::1'],
    ['text that is no address ends the walk', '127.0.0.1', ['203.0.113.9, <script>, 10.0.0.7'], '10.0.0.7'],
    ['nothing forwarded is the peer', '::1', [], '::1'],
    ['all trusted is the leftmost', '127.0.0.1', ['10.1.1.1'], '10.1.1.1'],
    ['no peer is nobody', undefined, ['1.2.3.4'], 'unknown'],
  ])('%s', (...[, peer, forwardedFor, expected]) => {
    expect(addressOf(peer, forwardedFor)).toBe(expected);
  });

  it('counts an IPv6 caller by the /64 that one person may hold', () => {
    expect(addressGroup('2001:db8:1:2:aaaa:bbbb:cccc:dddd')).toBe('2001:db8:1:2::/64');
    expect(addressGroup('2001:db8:1:2::9')).toBe('2001:db8:1:2::/64');
    expect(addressGroup('2001:DB8:0001:0002::9')).toBe('2001:db8:1:2::/64');
    expect(addressGroup('::1')).toBe('0:0:0:0::/64');
    expect(addressGroup('192.0.2.7')).toBe('192.0.2.7');
  });

  it('names every network that is none', () => {
    expect(problemWithNetworks(['10.0.0.0/8', '10.0.0.0/33', 'localhost', '::/129', '1.2.3.4/8/8'])).toHaveLength(4);
  });
});
