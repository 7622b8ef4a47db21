import { describe, expect, it } from 'vitest';
import type { InternalClaims } from '@clustral/schemas/tokens.ts';
import { isUuid } from '@clustral/schemas/ids.ts';
import { callerAsTold, callerId, userIdOf } from './person.ts';

const rule = { emailTrustedIssuers: [], subjectNamedIssuers: [] };
const token = (said: Partial<InternalClaims> = {}): InternalClaims => ({
  kind: 'internal',
  issuer: 'https://id.example',
  sub: 'alice',
  iat: 0,
  exp: 0,
  ...said,
});

describe('a person', () => {
  it('is issuer and subject, exactly as they are', () => {
    expect(isUuid(userIdOf('https://id.example', 'alice'))).toBe(true);
    const ids = [
      userIdOf('https://id.example', 'alice'),
      userIdOf('https://id.example', 'Alice'),
      userIdOf('https://other.example', 'alice'),
      userIdOf('https://id.example\0alice', ''),
    ];
    expect(new Set(ids).size).toBe(4);
  });

  it('is nobody without an issuer', () => {
    expect(() => callerId(token({ issuer: '' }))).toThrow(expect.objectContaining({ code: 'INVALID_TOKEN' }));
  });

  it('has no e-mail rather than a cut one', () => {
    const { claims } = callerAsTold(token({ email: `${'a'.repeat(320)}@x`, name: '' }), rule);
    expect(claims).toMatchObject({ email: null, name: null });
  });

  it('has roles and groups once each, in one order', () => {
    const { claims } = callerAsTold(token({ groups: ['b', 'a', 'b'], roles: ['clustral-admin'] }), rule);
    expect(claims).toMatchObject({ groups: ['a', 'b'], roles: ['clustral-admin'] });
  });

  it.each([
    [1_764_000_000, '2025-11-24T16:00:00.000Z'],
    [Number.NaN, null],
    [-1, null],
    [1e300, null],
    [undefined, null],
  ])('signed in at %s: %s', (authTime, signedInAt) => {
    expect(callerAsTold(token(authTime === undefined ? {} : { auth_time: authTime }), rule).signedInAt).toBe(
      signedInAt,
    );
  });
});
