import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import { lines, linesOf } from './testing/header-lines.ts';
import { headProblem, isLong, requestHeaders } from './request-headers.ts';

const head = (said: Partial<RequestHead> = {}): RequestHead => ({
  method: 'GET',
  target: '/api/v1/pods',
  headers: [],
  impersonateUser: 'alice@corp.com',
  impersonateGroups: ['viewers'],
  requestId: 'r-1',
  headTimeoutMs: 1_000,
  lifetimeMs: 1_000,
  notAfterMs: 1_000,
  upgrade: false,
  ...said,
});
const own = lines(
  'authorization: Bearer t',
  'impersonate-user: alice@corp.com',
  'impersonate-group: viewers',
  'audit-id: r-1',
);

describe('headers for the API server', () => {
  it('name one user, each group by itself, and the agent’s token', () => {
    const groups = ['a', 'CN=ops team,OU=x', '山'];
    expect(requestHeaders(head({ impersonateUser: 'josé', impersonateGroups: groups }), 't')).toEqual(
      lines(
        'authorization: Bearer t',
        'impersonate-user: jos\xc3\xa9',
        'impersonate-group: a',
        'impersonate-group: CN=ops team,OU=x',
        'impersonate-group: \xe5\xb1\xb1',
        'audit-id: r-1',
      ),
    );
  });

  it('keep nothing of a client’s that could name somebody else, in any spelling', () => {
    const spell = (name: string): fc.Arbitrary<string> =>
      fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }).map((upper) =>
        name
          .split('')
          .map((char, at) => (upper[at] ? (char === '-' ? '_' : char.toUpperCase()) : char))
          .join(''),
      );
    const names = [
      'impersonate-user',
      'impersonate-group',
      'impersonate-uid',
      'impersonate-extra-x',
      'impersonate',
      'authorization',
      'cookie',
      'x-remote-user',
      'x-remote-extra-a',
      'x-clustral-a',
      'x-forwarded-for',
      'host',
      'connection',
      'upgrade',
      'te',
      'trailer',
      'transfer-encoding',
      'keep-alive',
      'proxy-authorization',
      'audit-id',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names).chain(spell)), (spelled) => {
        const headers = spelled.flatMap((name) => [name, 'x']);
        expect(requestHeaders(head({ headers }), 't')).toEqual(own);
      }),
    );
  });

  it('lose what Connection lists, but never what the server says or what frames the body (PX-06)', () => {
    const listed = 'x-foo, impersonate-user, authorization, content-length, Content-Type';
    const headers = ['Connection', listed, 'X_Foo', '1', 'Content-Length', '5', 'Content-Type', 'a/b', 'X-Bar', '2'];
    expect(requestHeaders(head({ headers }), 't')).toEqual([
      ...lines('content-length: 5', 'content-type: a/b', 'x-bar: 2'),
      ...own,
    ]);
  });
});

describe('subprotocols of a WebSocket', () => {
  const token = 'base64url.bearer.authorization.k8s.io.dG9rZW4';
  it.each([
    ['v5.channel.k8s.io, v4.channel.k8s.io', ['v5.channel.k8s.io, v4.channel.k8s.io']],
    [`v5.channel.k8s.io, ${token}`, ['v5.channel.k8s.io']],
    [`${token.toUpperCase()},v4.channel.k8s.io`, ['v4.channel.k8s.io']],
    [token, []],
  ])('are without a token: %s (PX-08)', (said, kept) => {
    const headers = requestHeaders(head({ headers: ['Sec-WebSocket-Protocol', said] }), 't');
    expect(linesOf(headers, 'sec-websocket-protocol')).toEqual(kept);
  });
});

describe('an agent that is known by its client certificate', () => {
  it('sends no token', () => {
    expect(linesOf(requestHeaders(head({ headers: ['Authorization', 'Bearer x'] }), ''), 'authorization')).toEqual([]);
  });
});

describe('a head that is not sent', () => {
  it.each([
    { method: 'CONNECT' },
    { method: 'GET /' },
    { method: '' },
    { target: 'http://evil/' },
    { target: '*' },
    { target: '/a b' },
    { target: '/a\r\nb' },
    { headers: ['a'] },
    { headers: ['a:', 'b'] },
    { headers: ['a', 'b\r\nc: d'] },
    { headers: ['a', '山'] },
    { impersonateUser: '' },
    { impersonateUser: ' alice' },
    { impersonateUser: 'a\u0000b' },
    { impersonateUser: '\ud800' },
    { impersonateGroups: ['a', ''] },
    { impersonateGroups: ['a '] },
    { impersonateGroups: Array<string>(300).fill('a') },
    { requestId: 'a b' },
  ])('has %j', (said) => {
    expect(headProblem(head(said))).toMatch(/^The request /);
  });

  it('is not any that a person can make', () => {
    expect(headProblem(head())).toBeUndefined();
    expect(headProblem(head({ target: '/a%2F..//b;c?x=\xe9', headers: ['x', '', 'y', '\xe9\t '] }))).toBeUndefined();
    expect(headProblem(head({ impersonateUser: 'a b', impersonateGroups: [] }))).toBeUndefined();
  });
});

describe('a long request', () => {
  it.each([
    ['/api/v1/pods?watch=true', true],
    ['/api/v1/pods?a=b&watch=1&c', true],
    ['/api/v1/watch/pods', true],
    ['/api/v1/namespaces/a/pods/b/log?follow=true', true],
    ['/api/v1/namespaces/a/services/b/proxy/x', true],
    ['/api/v1/pods?watch=false', false],
    ['/api/v1/pods?fieldSelector=watch=true', false],
    ['/api/v1/namespaces/watcher/pods', false],
    ['/api/v1/namespaces/a/pods/b/log', false],
  ])('is told by its target: %s', (target, long) => {
    expect(isLong({ target })).toBe(long);
  });
});
