import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { requestHeaders } from './headers.ts';

function codeOf(raw: readonly string[]): string {
  try {
    requestHeaders(raw);
    return 'none';
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.code : String(thrown);
  }
}

describe("a client's headers on their way to a cluster", () => {
  it.each(['Impersonate-User', 'impersonate-user', 'IMPERSONATE-GROUP'])('PX-03 refuses %s', (name) => {
    expect(codeOf([name, 'admin'])).toBe('IMPERSONATION_NOT_ALLOWED');
  });

  it.each([
    'Impersonate-Uid',
    'Impersonate-Extra-Scopes',
    'Impersonate-Extra-acme.com%2Fp',
    'Impersonate_Group',
    'iMPERSONATE_uSER',
    'Impersonate-Anything-New',
    'Impersonate',
  ])('PX-04 refuses %s', (name) => {
    expect(codeOf(['Accept', '*/*', name, 'x', name, 'y'])).toBe('IMPERSONATION_NOT_ALLOWED');
  });

  it('PX-04 refuses it also when Connection lists it away', () => {
    expect(codeOf(['Connection', 'Impersonate-Group', 'Impersonate-Group', 'a'])).toBe('IMPERSONATION_NOT_ALLOWED');
  });

  it('PX-05 drops the names that only the product may use', () => {
    expect(
      requestHeaders(['X-Clustral-Impersonate-Group', 'system:masters', 'x_clustral_impersonate_user', 'a']),
    ).toEqual([]);
  });

  it('PX-06 takes a list in Connection for names of this hop and for nothing else', () => {
    const raw = ['Connection', 'close, Impersonate-User, Authorization, Content-Length', 'Content-Length', '3'];
    expect(requestHeaders(raw)).toEqual(['Content-Length', '3']);
  });

  it('PX-07 drops what belongs to one hop', () => {
    const ofOneHop = [
      ['TE', 'trailers'],
      ['Trailer', 'X'],
      ['Keep-Alive', '5'],
      ['Proxy-Connection', 'x'],
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'X-Foo,  x_bar'],
      ['X-Foo', '1'],
      ['X-Bar', '2'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'x'],
    ];
    expect(requestHeaders([...ofOneHop.flat(), 'Accept', 'application/json'])).toEqual(['Accept', 'application/json']);
  });

  it('PX-08 drops every other identity', () => {
    const raw = [
      'Cookie',
      'Authorization',
      'X-Remote-User',
      'X_Remote_Group',
      'X-Remote-Extra-a',
      'Proxy-Authorization',
    ];
    expect(requestHeaders(raw.flatMap((name) => [name, 'x']))).toEqual([]);
  });

  it('PX-08 takes the bearer out of the WebSocket subprotocols and keeps the others', () => {
    const bearer = 'base64url.bearer.authorization.k8s.io.dG9rZW4';
    expect(requestHeaders(['Sec-WebSocket-Protocol', `${bearer}, v5.channel.k8s.io ,v4.channel.k8s.io`])).toEqual([
      'Sec-WebSocket-Protocol',
      'v5.channel.k8s.io, v4.channel.k8s.io',
    ]);
    expect(requestHeaders(['sec-websocket-protocol', bearer.toUpperCase()])).toEqual([]);
    expect(requestHeaders(['Sec-WebSocket-Protocol', 'v5.channel.k8s.io,x'])).toEqual([
      'Sec-WebSocket-Protocol',
      'v5.channel.k8s.io,x',
    ]);
  });

  it('D19 drops what says where a request comes from and what it is called', () => {
    const raw = ['Audit-ID', 'X-Forwarded-For', 'x-forwarded-host', 'Forwarded', 'Host', 'Expect', 'X-Internal-Token'];
    expect(requestHeaders(raw.flatMap((name) => [name, 'x']))).toEqual([]);
  });

  it('keeps all else as it came, repeated headers by themselves', () => {
    const raw = ['Accept', 'a', 'X-One', '1', 'accept', 'b', '__proto__', 'x', 'constructor', 'y', 'X-Name', 'jos\xe9'];
    expect(requestHeaders(raw)).toEqual(raw);
  });
});
