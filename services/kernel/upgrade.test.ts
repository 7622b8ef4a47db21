import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { announcesBody } from './http-server.ts';
import { askedProtocol } from './upgrade.ts';

describe('a head', () => {
  it.each([
    [{}, false],
    [{ 'content-length': '0' }, false],
    [{ 'content-length': '3' }, true],
    [{ 'transfer-encoding': 'chunked' }, true],
  ])('with %j has a body behind it: %s', (headers, expected) => {
    expect(announcesBody({ headers })).toBe(expected);
  });
});

type Asked = { upgrade?: string; method?: string; httpVersion?: string; headers?: Record<string, string> };

function asked({ upgrade = 'websocket', method = 'GET', httpVersion = '1.1', headers = {} }: Asked): string {
  try {
    return askedProtocol({ method, httpVersion, headers: { upgrade, ...headers } } as unknown as IncomingMessage);
  } catch (thrown) {
    return thrown instanceof Refusal ? thrown.code : String(thrown);
  }
}

describe('another protocol', () => {
  it.each([
    [{ upgrade: 'websocket' }, 'websocket'],
    [{ upgrade: 'WebSocket' }, 'WebSocket'],
    [{ upgrade: 'SPDY/3.1', method: 'POST' }, 'SPDY/3.1'],
    [{ upgrade: 'SPDY/3.1', method: 'POST', headers: { 'content-length': '0' } }, 'SPDY/3.1'],
  ])('can be asked for with %j', (request, protocol) => {
    expect(asked(request)).toBe(protocol);
  });

  it.each<Asked>([
    { upgrade: 'h2c' },
    { upgrade: 'websocket, h2c' },
    { upgrade: '' },
    { upgrade: 'SPDY/3' },
    { method: 'DELETE' },
    { httpVersion: '1.0' },
    { headers: { 'content-length': '40' } },
    { headers: { 'transfer-encoding': 'chunked' } },
  ])('GW-05 cannot be asked for with %j', (request) => {
    expect(asked(request)).toBe('BAD_REQUEST');
  });
});
