/**
 * Sessions of browsers. The id is 256 random bits and is new at every sign-in (UI-05); what is kept of it is its SHA-256. A session
 * ends when it was not used for a while, when its time is over, when the person signs out, or when the provider or the control plane
 * says no; with it end the calls and streams that run under it. After that the cookie is worth nothing, wherever a copy of it is.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Refusal } from '@clustral/schemas/errors.ts';
import { createRunningCalls } from './running-calls.ts';
import type { Sealer } from './sealed.ts';
import type { SessionRow, SessionStore } from './session-store.ts';
import type { Tokens } from './tokens.ts';

export type Session = {
  /** SHA-256 of the id, base64url. */
  readonly key: string;
  /** User id of the person. */
  readonly person: string;
  /** When it ends if it is not used any more. */
  readonly expiresAt: Date;
};

/** What is left to be done when a session has ended. */
export type Ended = { readonly tokens: Tokens | undefined; readonly credentials: readonly string[] };

export type Sessions = {
  /** A new session; gives its id, which goes into the cookie and nowhere else. */
  open(person: string, tokens: Tokens): string;
  /** The session of an id, or nothing. */
  find(id: string | undefined): Session | undefined;
  /** The same, and it counts as use. Throws `AUTHENTICATION_REQUIRED` when there is none. */
  use(id: string | undefined): Session;
  tokens(session: Session): Tokens | undefined;
  /** Keeps new tokens; false when the session ended meanwhile. */
  renew(session: Session, tokens: Tokens): boolean;
  /** Runs a call under a session; the signal is aborted when the session ends. Throws `RATE_LIMITED` when too many run. */
  during<T>(session: Session, call: (ended: AbortSignal) => Promise<T>): Promise<T>;
  noteCredential(session: Session, credentialId: string): void;
  /** Ends a session; nothing when it had ended before. */
  end(session: Pick<Session, 'key'>): Ended | undefined;
  /** Ends those whose time is over. */
  sweep(): void;
};

export type SessionsOptions = {
  readonly store: SessionStore;
  readonly sealer: Sealer;
  readonly lifeMs: number;
  readonly idleMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** Use is written down this often at most. */
const useGrainMs = 30_000;
const idForm = /^[\w-]{43}$/;

/** The refusal of everything that needs a session. */
export const signInFirst = (): Refusal =>
  new Refusal('AUTHENTICATION_REQUIRED', 'You are not signed in, or your session has ended. Sign in again.');

/** The sessions of a store. */
export function createSessions({ store, sealer, lifeMs, idleMs, now }: SessionsOptions): Sessions {
  const calls = createRunningCalls();
  const seal = (key: string, tokens: Tokens): Buffer => sealer.seal(purposeOf(key), JSON.stringify(tokens));
  const unsealed = ({ key, sealed }: SessionRow): Tokens | undefined => {
    const text = sealer.open(purposeOf(key), sealed);
    return text === undefined ? undefined : (JSON.parse(text) as Tokens);
  };
  const end = (key: string): Ended | undefined => {
    const row = store.take(key);
    calls.stop(key, signInFirst());
    return row && { tokens: unsealed(row), credentials: row.credentials };
  };
  const expiry = ({ lastUsedMs, endsMs }: SessionRow): number => Math.min(lastUsedMs + idleMs, endsMs);
  const row = (id: string | undefined): SessionRow | undefined => {
    const found = id !== undefined && idForm.test(id) ? store.find(keyOf(id)) : undefined;
    if (found === undefined || expiry(found) > now()) return found;
    end(found.key);
    return undefined;
  };
  const sessionOf = (found: SessionRow): Session => ({
    key: found.key,
    person: found.person,
    expiresAt: new Date(expiry(found)),
  });
  return {
    open(person, tokens) {
      const id = randomBytes(32).toString('base64url');
      const key = keyOf(id);
      const at = now();
      const gone = store.add({ key, person, lastUsedMs: at, endsMs: at + lifeMs, sealed: seal(key, tokens) });
      for (const old of gone) calls.stop(old, signInFirst());
      return id;
    },
    find(id) {
      const found = row(id);
      return found && sessionOf(found);
    },
    use(id) {
      const found = row(id);
      if (found === undefined) throw signInFirst();
      const at = now();
      if (at - found.lastUsedMs >= Math.min(useGrainMs, idleMs / 4)) store.noteUse(found.key, at);
      return sessionOf(found);
    },
    tokens({ key }) {
      const found = store.find(key);
      return found && unsealed(found);
    },
    renew: ({ key }, tokens) => store.replace(key, seal(key, tokens)),
    during: ({ key }, call) => calls.run(key, call),
    noteCredential: ({ key }, credentialId) => store.noteCredential(key, credentialId),
    end: ({ key }) => end(key),
    sweep() {
      const at = now();
      for (const key of store.over(at, at - idleMs)) end(key);
    },
  };
}

const keyOf = (id: string): string => createHash('sha256').update(id).digest('base64url');

const purposeOf = (key: string): string => `session ${key}`;
