import { describe, expect, it } from 'vitest';
import { createSession, signInAddress, type Person } from './session.ts';

const alice: Person = {
  user: { id: 'a', email: 'alice@corp.example', displayName: 'Alice' },
  roles: ['clustral-user'],
  isAdmin: false,
  isAuditor: false,
  expiresAt: '2026-11-20T15:00:00Z',
};

/** A server that gives these answers, one after the other, the last for ever. */
function server(...answers: readonly (() => Response)[]) {
  const left: string[] = [];
  const asked: string[] = [];
  let next = 0;
  const session = createSession({
    fetch(path, { method = 'GET' }) {
      asked.push(`${method} ${path}`);
      const answer = answers[Math.min(next, answers.length - 1)];
      next += 1;
      return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError('Failed to fetch'));
    },
    leave: (address) => void left.push(address),
  });
  return { session, left, asked };
}

const signedIn = (): Response => Response.json(alice);
const nobody = (): Response => new Response(null, { status: 401 });

describe('the session', () => {
  it('is whoever the server says', async () => {
    const { session } = server(signedIn);
    expect(session.state().status).toBe('loading');
    await session.refresh();
    expect(session.state()).toEqual({ status: 'signed-in', person: alice });
  });

  it.each([
    ['nobody', nobody, 'signed-out'],
    ['a server that is starting', () => new Response(null, { status: 503 }), 'unreachable'],
  ])('is told apart: %s', async (_name, answer, status) => {
    const { session } = server(answer);
    await session.refresh();
    expect(session.state().status).toBe(status);
  });

  it('that ends keeps the page for whoever is in the middle of something', async () => {
    const { session } = server(signedIn, nobody, signedIn);
    await session.refresh();
    await session.refresh();
    expect(session.state().status).toBe('signed-in');
    expect(session.hasEnded()).toBe(true);
    await session.refresh();
    expect(session.hasEnded()).toBe(false);
  });

  it('is left for the address that the server names, also when it had ended already', async () => {
    const { session, left, asked } = server(() => Response.json({ location: '/bye' }), nobody);
    await session.signOut();
    await session.signOut();
    expect(left).toEqual(['/bye', '/']);
    expect(asked[0]).toBe('POST /api/auth/sign-out');
  });

  it('that cannot be left says so', async () => {
    const { session } = server(() => new Response(null, { status: 503 }));
    await expect(session.signOut()).rejects.toThrow('503');
  });

  it('begins at the sign-in page and comes back to where the person was', () => {
    expect(signInAddress('/audit?q=a&range=all')).toBe('/api/auth/sign-in?returnTo=%2Faudit%3Fq%3Da%26range%3Dall');
  });
});
