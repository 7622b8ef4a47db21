/**
 * Who may sign in at the embedded identity provider, and whether a password is theirs. Passwords are stored as scrypt
 * hashes with a salt each; an unknown name costs as much time as a wrong password.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { createLoginThrottle } from './login-throttle.ts';
import { firstPassword, people } from './people.ts';
import type { Person } from './people.ts';

export type SignInResult =
  | { readonly kind: 'welcome'; readonly person: Person }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number };

export type Accounts = {
  bySubject(subject: string): Person | undefined;
  signIn(username: string, password: string): Promise<SignInResult>;
};

type StoredPerson = { readonly person: Person; readonly salt: Buffer; readonly hash: Buffer };

const hashLength = 32;
/** 32 MiB and about 0.1 s per try (OWASP's scrypt advice scaled down: these passwords are public). */
const cost = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const maxPasswordLength = 1_024;
/** libuv hashes four at a time and queues the rest: half a second of waiting at most, and a flood holds no more. */
const maxHashing = 16;
/** More than can be hashed at once, so that people signing in at the same moment never count as guessing. */
const attemptsPerMinute = 20;
const unknownName = '(any unknown name)';

/** Reads the people, at first start with their first passwords. `now` drives the throttle: 20 attempts a minute and name. */
export async function openAccounts(database: DatabaseSync, now: () => Date): Promise<Accounts> {
  const { count } = { count: 0, ...database.prepare('SELECT count(*) AS count FROM people').get() };
  if (Number(count) === 0) await seed(database);
  const stored = readPeople(database);
  const bySubject = new Map([...stored.values()].map(({ person }) => [person.subject, person]));
  const decoy = { salt: randomBytes(16), hash: randomBytes(hashLength) };
  const throttle = createLoginThrottle({
    attempts: attemptsPerMinute,
    windowMs: 60_000,
    maxKeys: stored.size + 1,
    now,
  });
  let hashing = 0;

  return {
    bySubject: (subject) => bySubject.get(subject),
    async signIn(username, password) {
      const known = stored.get(username.trim().toLowerCase());
      const key = known?.person.username ?? unknownName;
      if (hashing >= maxHashing) return { kind: 'wait', retryAfterSeconds: 1 };
      const retryAfterSeconds = throttle.take(key);
      if (retryAfterSeconds > 0) return { kind: 'wait', retryAfterSeconds };
      hashing += 1;
      try {
        const tried = await hashPassword(password.slice(0, maxPasswordLength), known?.salt ?? decoy.salt);
        const same = timingSafeEqual(tried, known?.hash ?? decoy.hash) && password.length <= maxPasswordLength;
        if (known === undefined || !same) return { kind: 'wrong' };
      } finally {
        hashing -= 1;
      }
      throttle.clear(key);
      return { kind: 'welcome', person: known.person };
    },
  };
}

async function seed(database: DatabaseSync): Promise<void> {
  const hashed = await Promise.all(
    people.map(async (person) => {
      const salt = randomBytes(16);
      return { person, salt, hash: await hashPassword(firstPassword(person), salt) };
    }),
  );
  const insert = database.prepare(
    'INSERT OR IGNORE INTO people (username, subject, profile, salt, password_hash) VALUES (?, ?, ?, ?, ?)',
  );
  for (const { person, salt, hash } of hashed) {
    insert.run(person.username, person.subject, JSON.stringify(person), salt, hash);
  }
}

function readPeople(database: DatabaseSync): Map<string, StoredPerson> {
  const found = new Map<string, StoredPerson>();
  for (const row of database.prepare('SELECT profile, salt, password_hash FROM people').iterate()) {
    const person: Person = JSON.parse(String(row['profile']));
    found.set(person.username, {
      person,
      salt: Buffer.from(row['salt'] as Uint8Array),
      hash: Buffer.from(row['password_hash'] as Uint8Array),
    });
  }
  return found;
}

function hashPassword(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, hashLength, cost, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
