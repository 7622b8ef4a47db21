import { describe, expect, it } from 'vitest';
import type { IncomingMessage } from 'node:http';
import { answerHeaders, onwardRawHeaders } from './headers.ts';

const onward = (...rawHeaders: string[]): string[] => onwardRawHeaders({ rawHeaders } as IncomingMessage, []);

describe('headers that go on behind the gateway', () => {
  it('keeps order, case and repeated lines', () => {
    const lines = ['Accept', 'a', 'X-Thing', '1', 'accept', 'b', 'X-Thing', '2'];
    expect(onward(...lines)).toEqual(lines);
  });

  it.each([
    'X-Internal-Token',
    'x_internal_token',
    'X-Clustral-User-Id',
    'X-Clustral-Impersonate-Group',
    'X-Original-URL',
    'X-Rewrite-Url',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'Forwarded',
    'X-Real-IP',
    'X-Remote-User',
    'X-Remote-Extra-a',
    'Proxy-Authorization',
    'Audit-ID',
    'Authorization',
    'Cookie',
    'Host',
    'TE',
    'Trailer',
    'Keep-Alive',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
    'traceparent',
    'X-Correlation-Id',
  ])('GW-15 PX-05 PX-08 drops %s from outside', (name) => {
    expect(onward('Accept', 'a', name, 'x')).toEqual(['Accept', 'a']);
  });

  it('PX-07 drops what Connection lists', () => {
    expect(
      onward('Connection', 'close, X-Foo', 'X-Foo', '1', 'Connection', 'x-bar', 'X-Bar', '2', 'X-Baz', '3'),
    ).toEqual(['X-Baz', '3']);
  });

  it('PX-06 lets nobody hide a header that must be refused behind Connection', () => {
    expect(onward('Connection', 'Impersonate-User', 'Impersonate-User', 'admin')).toEqual([
      'Impersonate-User',
      'admin',
    ]);
  });

  it('PX-21 gives answer lines back one by one, without those of the hop', () => {
    const raw = ['Warning', 'a', 'Connection', 'X-Hop', 'X-Hop', '1', 'Warning', 'b', 'Transfer-Encoding', 'chunked'];
    expect(answerHeaders(raw.map((text) => Buffer.from(text)))).toEqual(['Warning', 'a', 'Warning', 'b']);
  });
});
