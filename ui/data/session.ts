/**
 * Who is signed in at this browser. The session itself is a cookie that no script can read; this asks the server who it is, and
 * sends the person to the sign-in page and back to where they were.
 */
import { createSignal, type Accessor } from 'solid-js';

export type Person = {
  readonly user: { readonly id: string; readonly email: string; readonly displayName: string };
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
  readonly isAuditor: boolean;
  readonly expiresAt: string;
};

type SessionState =
  | { readonly status: 'loading' }
  | { readonly status: 'signed-out' }
  | { readonly status: 'unreachable' }
  | { readonly status: 'signed-in'; readonly person: Person };

export type Session = {
  readonly state: Accessor<SessionState>;
  /** True once a call was refused because the session has ended; what is shown stays until the person signs in again. */
  readonly hasEnded: Accessor<boolean>;
  readonly markEnded: () => void;
  /** Asks the server again. */
  readonly refresh: () => Promise<void>;
  /** Ends the session at the server, then leaves for the address it names. */
  readonly signOut: () => Promise<void>;
};

export type Browser = {
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  /** Leaves the page for another address. */
  readonly leave: (address: string) => void;
};

const answerLimitMs = 10_000;

/** A session that has not asked yet: call `refresh`. */
export function createSession({ fetch, leave }: Browser): Session {
  const [state, setState] = createSignal<SessionState>({ status: 'loading' });
  const [hasEnded, setEnded] = createSignal(false);
  async function refresh(): Promise<void> {
    const next = await ask(fetch);
    const current = state();
    if (next.status !== 'signed-in' && current.status === 'signed-in') {
      // Somebody may be in the middle of a form: keep the page, say that the session is over.
      if (next.status === 'signed-out') setEnded(true);
      return;
    }
    // Another person signed in in another tab: nothing of the first one may stay on screen.
    if (next.status === 'signed-in' && current.status === 'signed-in' && next.person.user.id !== current.person.user.id)
      return leave(location.pathname);
    setEnded(false);
    setState(next);
  }
  return {
    state,
    hasEnded,
    markEnded: () => setEnded(true),
    refresh,
    async signOut() {
      const answer = await fetch('/api/auth/sign-out', { method: 'POST', signal: AbortSignal.timeout(answerLimitMs) });
      if (!answer.ok && answer.status !== 401) throw new Error(`signing out was answered with ${answer.status}`);
      const { location: next } = answer.ok ? ((await answer.json()) as { location: string }) : { location: '/' };
      leave(next);
    },
  };
}

async function ask(fetch: Browser['fetch']): Promise<SessionState> {
  try {
    const answer = await fetch('/api/auth/session', {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(answerLimitMs),
    });
    if (answer.status === 401) return { status: 'signed-out' };
    if (!answer.ok) return { status: 'unreachable' };
    return { status: 'signed-in', person: (await answer.json()) as Person };
  } catch {
    return { status: 'unreachable' };
  }
}

/** Where signing in begins, for a person who shall come back to `path`. */
export function signInAddress(path: string): string {
  return `/api/auth/sign-in?returnTo=${encodeURIComponent(path)}`;
}
