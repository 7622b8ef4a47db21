/** Sessions on a real file. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSealer } from './sealed.ts';
import { openSessionStore, type SessionStore } from './session-store.ts';
import { createSessions, type Sessions, type SessionsOptions } from './sessions.ts';
import type { Tokens } from './tokens.ts';

const tokens: Tokens = { subject: 's', accessToken: 'a', refreshToken: 'r', idToken: 'i', renewMs: 1, endsMs: 2 };
const hour = 3_600_000;
const sealer = createSealer([randomBytes(32)]);

let folder: string;
let store: SessionStore;
let nowMs: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  store = openSessionStore(folder, { perPerson: 3, inAll: 5 });
  nowMs = 1_000_000;
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const sessionsOf = (options: Partial<SessionsOptions> = {}): Sessions =>
  createSessions({ store, sealer, lifeMs: 8 * hour, idleMs: hour, now: () => nowMs, ...options });

describe('a session', () => {
  it('is found by its id and by nothing that stands on disk', () => {
    const sessions = sessionsOf();
    const id = sessions.open('alice', tokens);
    const found = sessions.find(id);
    expect(found?.person).toBe('alice');
    expect(found && sessions.tokens(found)).toEqual(tokens);
    for (const other of [found?.key, undefined, '', `${id}A`, 'A'.repeat(43)])
      expect(sessions.find(other)).toBeUndefined();
  });

  it('ends an hour after it was used last, and eight hours after the sign-in in any case', () => {
    const sessions = sessionsOf();
    const id = sessions.open('alice', tokens);
    for (let step = 1; step <= 9; step += 1) {
      nowMs += hour * 0.9;
      if (nowMs < 1_000_000 + 8 * hour) expect(sessions.use(id).person).toBe('alice');
      else expect(() => sessions.use(id)).toThrow('session has ended');
    }
    const idle = sessions.open('alice', tokens);
    nowMs += hour;
    expect(sessions.find(idle)).toBeUndefined();
  });

  it('is not kept alive by looking whether it lives', () => {
    const sessions = sessionsOf();
    const id = sessions.open('alice', tokens);
    nowMs += hour / 2;
    expect(sessions.find(id)?.expiresAt.getTime()).toBe(1_000_000 + hour);
    sessions.use(id);
    expect(sessions.find(id)?.expiresAt.getTime()).toBe(nowMs + hour);
  });

  it('ends once, with what is left to be done', () => {
    const sessions = sessionsOf();
    const id = sessions.open('alice', tokens);
    const session = sessions.use(id);
    sessions.noteCredential(session, 'one');
    sessions.noteCredential(session, 'one');
    sessions.noteCredential(session, 'two');
    expect(sessions.end(session)).toEqual({ tokens, credentials: ['one', 'two'] });
    expect(sessions.end(session)).toBeUndefined();
    expect(sessions.find(id)).toBeUndefined();
    expect(sessions.renew(session, tokens)).toBe(false);
    sessions.noteCredential(session, 'three');
  });

  it('takes the calls that run under it with it, however it ends', async () => {
    const sessions = sessionsOf();
    const reasons: unknown[] = [];
    const running = (id: string): Promise<void> =>
      sessions.during(sessions.use(id), (ended) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        ended.addEventListener('abort', () => resolve(void reasons.push((ended.reason as Error).message)));
        return promise;
      });
    const signedOut = sessions.open('alice', tokens);
    const first = running(signedOut);
    sessions.end(sessions.use(signedOut));
    await first;
    const idle = running(sessions.open('alice', tokens));
    nowMs += hour;
    sessions.sweep();
    await idle;
    const displaced = running(sessions.open('bob', tokens));
    for (let more = 0; more < 3; more += 1) {
      nowMs += 1;
      sessions.open('bob', tokens);
    }
    await displaced;
    expect(reasons).toHaveLength(3);
  });

  it('runs no more than 64 calls at once', async () => {
    const sessions = sessionsOf();
    const session = sessions.use(sessions.open('alice', tokens));
    const hold = Promise.withResolvers<void>();
    const calls = Array.from({ length: 64 }, () => sessions.during(session, () => hold.promise));
    await expect(sessions.during(session, () => hold.promise)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    hold.resolve();
    await Promise.all(calls);
    await sessions.during(session, async () => undefined);
  });
});

describe('sessions', () => {
  it('are few per person and in all: the one that was used least goes', () => {
    const sessions = sessionsOf();
    const open = (person: string): string => {
      nowMs += 60_000;
      return sessions.open(person, tokens);
    };
    const [first, second, third] = [open('alice'), open('alice'), open('alice')];
    nowMs += 60_000;
    sessions.use(first);
    const fourth = open('alice');
    expect([first, second, third, fourth].map((id) => sessions.find(id) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ]);
    for (const person of ['bob', 'carol', 'dave']) open(person);
    expect([first, third, fourth].map((id) => sessions.find(id) !== undefined)).toEqual([true, false, true]);
  });

  it('are still there when the file is opened again, with another key in front', () => {
    const id = sessionsOf().open('alice', tokens);
    store.close();
    store = openSessionStore(folder, { perPerson: 3, inAll: 5 });
    const sessions = sessionsOf();
    expect(sessions.tokens(sessions.use(id))).toEqual(tokens);
    const strange = sessionsOf({ sealer: createSealer([randomBytes(32)]) });
    expect(strange.tokens(strange.use(id))).toBeUndefined();
  });

  it('whose file is damaged stop the start with a sentence that says what to do', () => {
    const damaged = mkdtempSync(join(tmpdir(), 'sessions-'));
    writeFileSync(
      join(damaged, 'sessions.sqlite'),
      'this is no database, but long enough to be looked at as one'.repeat(40),
    );
    expect(() => openSessionStore(damaged, { perPerson: 3, inAll: 5 })).toThrow(
      'remove it, then everybody has to sign in again',
    );
    rmSync(damaged, { recursive: true });
  });
});
