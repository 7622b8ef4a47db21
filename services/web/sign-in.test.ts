import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer } from './sealed.ts';
import { openSignIn, sealSignIn, signInCookie, signInsTooMany } from './sign-in.ts';

const sealer = createSealer([randomBytes(32)]);
const state = randomBytes(32).toString('base64url');
const signIn = { checks: { state, nonce: 'n', codeVerifier: 'v' }, returnTo: '/home', beganMs: 1_000_000 };
const cookies = { [signInCookie(state)]: sealSignIn(sealer, signIn) };

describe('UI-05 a sign-in under way', () => {
  it('is found by its state for ten minutes', () => {
    expect(openSignIn(sealer, { state, cookies, nowMs: 1_599_999 })).toEqual(signIn);
    expect(openSignIn(sealer, { state, cookies, nowMs: 1_600_000 })).toBeUndefined();
  });

  it('is not found by a state that only begins as its own, nor by anything that is no state', () => {
    const other = `${state.slice(0, 20)}${randomBytes(32).toString('base64url')}`.slice(0, 43);
    for (const asked of [other, undefined, '', [state], `${state}=`])
      expect(openSignIn(sealer, { state: asked, cookies, nowMs: 1_000_000 })).toBeUndefined();
  });

  it('is nothing when its cookie was made by somebody else', () => {
    const forged = { [signInCookie(state)]: sealSignIn(createSealer([randomBytes(32)]), signIn) };
    expect(openSignIn(sealer, { state, cookies: forged, nowMs: 1_000_000 })).toBeUndefined();
    expect(openSignIn(sealer, { state, cookies: {}, nowMs: 1_000_000 })).toBeUndefined();
  });

  it('is one of at most four of a browser', () => {
    const names = Array.from({ length: 4 }, () => signInCookie(randomBytes(32).toString('base64url')));
    const held = (count: number) => Object.fromEntries(names.slice(0, count).map((name) => [name, 'x']));
    expect(signInsTooMany({ ...held(3), other: 'x' })).toEqual([]);
    expect(signInsTooMany(held(4))).toEqual(names);
  });
});
