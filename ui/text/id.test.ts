import { describe, expect, it } from 'vitest';
import { pastedId, shortId } from './id.ts';

describe('an id', () => {
  it('is shortened in the middle, so that both ends can be compared', () => {
    expect(shortId('01937b2c-1111-7222-8333-444455559f3a')).toBe('01937b2c…9f3a');
    expect(shortId('short-id')).toBe('short-id');
  });

  it('is recognised when it is pasted', () => {
    expect(pastedId('  01937B2C-1111-7222-8333-444455559F3A\n')).toBe('01937b2c-1111-7222-8333-444455559f3a');
    expect(pastedId('prod')).toBeUndefined();
  });
});
