import { describe, expect, it } from 'vitest';
import type { IncomingMessage } from 'node:http';
import { malformed } from './request-hygiene.ts';

const request = (parts: Partial<{ url: string; method: string; httpVersion: string; rawHeaders: string[] }>) =>
  ({ url: '/', method: 'GET', httpVersion: '1.1', rawHeaders: ['Host', 'a'], ...parts }) as IncomingMessage;

describe('a request that two parsers could read differently', () => {
  it.each([
    ['GW-02 two coding headers', { rawHeaders: ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'] }, 400],
    ['GW-02 another coding', { rawHeaders: ['Transfer-Encoding', 'gzip, chunked'] }, 400],
    ['GW-02 a coding that is none', { rawHeaders: ['Transfer-Encoding', 'xchunked'] }, 400],
    ['GW-02 a coding beside a length', { rawHeaders: ['Transfer-Encoding', 'chunked', 'Content-Length', '6'] }, 400],
    ['GW-02 a coding in HTTP/1.0', { httpVersion: '1.0', rawHeaders: ['Transfer-Encoding', 'chunked'] }, 400],
    ['GW-02 two lengths', { rawHeaders: ['Content-Length', '1', 'Content-Length', '1'] }, 400],
    ['GW-04 two hosts', { rawHeaders: ['Host', 'a', 'host', 'b'] }, 400],
    ['GW-04 an absolute target', { url: 'http://evil/x' }, 400],
    ['GW-04 a target that names a host', { url: '//evil/x' }, 400],
    ['GW-04 the asterisk', { url: '*', method: 'OPTIONS' }, 400],
    ['two Authorization headers', { rawHeaders: ['Authorization', 'Bearer a', 'Authorization', 'Bearer b'] }, 400],
    ['GW-06 TRACE', { method: 'TRACE' }, 405],
    ['GW-06 PROPFIND', { method: 'PROPFIND' }, 405],
    ['GW-07 more headers than are kept', { rawHeaders: Array.from({ length: 2_002 }, () => 'x') }, 431],
  ])('is refused: %s', (_, parts, status) => {
    expect(malformed(request(parts))?.status).toBe(status);
  });

  it('lets ordinary requests pass', () => {
    expect(malformed(request({}))).toBeUndefined();
    expect(
      malformed(request({ method: 'POST', rawHeaders: ['Host', 'a', 'Transfer-Encoding', 'Chunked'] })),
    ).toBeUndefined();
    expect(malformed(request({ httpVersion: '1.0', rawHeaders: [] }))).toBeUndefined();
  });
});
