import { describe, expect, it } from 'vitest';
import { shownHeaders } from './debug.ts';

describe('headers under --debug', () => {
  it('show what is known to be harmless, and of everything else that it is there (ID-16)', () => {
    const headers = new Headers({
      authorization: 'Bearer secret-1',
      cookie: 'session=secret-2',
      'x-new-secret': 'secret-3',
      'content-type': 'application/proto',
      'x-correlation-id': 'c0ffee',
    });
    expect(shownHeaders(headers)).toBe(
      'authorization: (redacted); content-type: application/proto; cookie: (redacted); x-correlation-id: c0ffee; x-new-secret: (redacted)',
    );
  });

  it('may be none', () => expect(shownHeaders([])).toBe('none'));
});
