import { describe, expect, it } from 'vitest';
import { Refusal } from '@clustral/schemas/errors.ts';
import { createLog } from '@clustral/kernel/log.ts';
import type { Session } from './sessions.ts';
import { createTokenKeeper } from './token-keeper.ts';
import { livesOf, type Tokens } from './tokens.ts';

const session: Session = { key: 'k', person: 'p', expiresAt: new Date(0) };
const tokens = (name: string, nowMs: number): Tokens => ({
  subject: 's',
  accessToken: name,
  refreshToken: `refresh-${name}`,
  idToken: 'i',
  ...livesOf(300, nowMs),
});

/** A keeper with a session at time 0, and a provider that answers as `renew` says. */
function keeperWith(renew: (tokens: Tokens) => Promise<Tokens | undefined>) {
  const state = { nowMs: 0, kept: tokens('first', 0) as Tokens | undefined, asked: 0, revoked: [] as string[] };
  const keeper = createTokenKeeper({
    now: () => state.nowMs,
    log: createLog('web', 'silent'),
    sessions: {
      tokens: () => state.kept,
      renew: (_session, renewed) => {
        if (state.kept === undefined) return false;
        state.kept = renewed;
        return true;
      },
      end: () => {
        state.kept = undefined;
        return undefined;
      },
    },
    provider: {
      renew: (before) => {
        state.asked += 1;
        return renew(before);
      },
      revoke: async ({ refreshToken = '' }) => void state.revoked.push(refreshToken),
    },
  });
  return { state, ask: () => keeper.accessToken(session) };
}

const silent = (): Promise<never> => Promise.reject(new Refusal('UPSTREAM_UNAVAILABLE', 'silent'));

describe('the access token of a session', () => {
  it('is the one that is kept while it has a minute to live', async () => {
    const { state, ask } = keeperWith(silent);
    state.nowMs = 239_999;
    expect(await ask()).toBe('first');
    expect(state.asked).toBe(0);
  });

  it('is renewed behind the calls before it runs out, once for all of them', async () => {
    const answer = Promise.withResolvers<Tokens>();
    const { state, ask } = keeperWith(() => answer.promise);
    state.nowMs = 250_000;
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['first', 'first', 'first']);
    answer.resolve(tokens('second', 250_000));
    await answer.promise;
    await new Promise(setImmediate);
    expect(await ask()).toBe('second');
    expect(state.asked).toBe(1);
  });

  it('is waited for when the old one is over, by all calls together', async () => {
    const { state, ask } = keeperWith(async () => tokens('second', 400_000));
    state.nowMs = 400_000;
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['second', 'second', 'second']);
    expect(state.asked).toBe(1);
  });

  it('ends with the session when the provider refuses', async () => {
    const { state, ask } = keeperWith(async () => undefined);
    state.nowMs = 400_000;
    await expect(ask()).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
    expect(state.kept).toBeUndefined();
    await expect(ask()).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
    expect(state.asked).toBe(1);
  });

  it('is refused for a while, and the session kept, when the provider is silent', async () => {
    const { state, ask } = keeperWith(silent);
    state.nowMs = 250_000;
    expect(await ask()).toBe('first');
    state.nowMs = 400_000;
    await expect(ask()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(state.kept?.accessToken).toBe('first');
  });

  it('is made worthless when the person signs out while it is renewed', async () => {
    const answer = Promise.withResolvers<Tokens>();
    const { state, ask } = keeperWith(() => answer.promise);
    state.nowMs = 400_000;
    const asked = ask();
    state.kept = undefined;
    answer.resolve(tokens('second', 400_000));
    await expect(asked).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
    expect(state.revoked).toEqual(['refresh-second']);
    expect(state.kept).toBeUndefined();
  });
});

describe('a token of a short life', () => {
  it('is good for three quarters of it', () => {
    expect(livesOf(60, 1_000)).toEqual({ renewMs: 46_000, endsMs: 61_000 });
    expect(livesOf(300, 0)).toEqual({ renewMs: 240_000, endsMs: 300_000 });
  });
});
