/**
 * The connections that are open: how many there may be, which of them still answer, and which have given no password in time.
 * A connection whose other end is gone without a word is found by pings; without them it would hold its place for ever.
 */
import type { ServerHttp2Session } from 'node:http2';

/** How long a connection may be silent, and how often that is looked at. */
export type Patience = {
  readonly pingEveryMs: number;
  readonly answerWithinMs: number;
  readonly passwordWithinMs: number;
  readonly lookEveryMs: number;
};

export const usualPatience: Patience = {
  pingEveryMs: 20_000,
  answerWithinMs: 20_000,
  passwordWithinMs: 30_000,
  lookEveryMs: 1_000,
};

/** Guessing a password costs a new connection, with its handshake, every so many tries. */
const maxWrongPasswords = 5;

export class ConnectionState {
  readonly openedAt = performance.now();
  /** When the last ping was sent that has no answer yet. */
  pingedAt: number | undefined;
  lastPingAt = performance.now();
  #admitted = false;
  #wrongPasswords = 0;
  readonly #session: ServerHttp2Session;

  constructor(session: ServerHttp2Session) {
    this.#session = session;
  }

  get admitted(): boolean {
    return this.#admitted;
  }

  /** A call of this connection has given the right password, or none is wanted. */
  admit(): void {
    this.#admitted = true;
  }

  /** A call has given a wrong one. The connection ends after some. */
  refuse(): void {
    this.#wrongPasswords += 1;
    if (this.#wrongPasswords >= maxWrongPasswords) setImmediate(() => this.#session.destroy());
  }

  end(): void {
    this.#session.destroy();
  }

  ping(now: number): void {
    this.lastPingAt = now;
    this.pingedAt = now;
    const sent = this.#session.ping(() => (this.pingedAt = undefined));
    // Too many pings in a row have no answer.
    if (!sent) this.end();
  }
}

export class Connections {
  readonly #most: number;
  readonly #passwordWanted: boolean;
  readonly #patience: Patience;
  readonly #open = new Map<ServerHttp2Session, ConnectionState>();
  readonly #timer: NodeJS.Timeout;
  refused = 0;

  /** `passwordWanted`: connections without one end in time. */
  constructor({ most, passwordWanted, patience }: { most: number; passwordWanted: boolean; patience: Patience }) {
    this.#most = most;
    this.#passwordWanted = passwordWanted;
    this.#patience = patience;
    this.#timer = setInterval(() => this.#look(performance.now()), patience.lookEveryMs);
    this.#timer.unref();
  }

  get open(): number {
    return this.#open.size;
  }

  /** Undefined when there is no place: the session is over. */
  enter(session: ServerHttp2Session): ConnectionState | undefined {
    if (this.#open.size >= this.#most) {
      this.refused += 1;
      session.destroy();
      return undefined;
    }
    const state = new ConnectionState(session);
    this.#open.set(session, state);
    session.once('close', () => this.#open.delete(session));
    return state;
  }

  of(session: ServerHttp2Session | undefined): ConnectionState | undefined {
    return session === undefined ? undefined : this.#open.get(session);
  }

  /** Tells every client to open no more calls here. */
  goAway(): void {
    for (const session of this.#open.keys()) if (!session.destroyed) session.close();
  }

  destroy(): void {
    clearInterval(this.#timer);
    for (const session of this.#open.keys()) session.destroy();
  }

  #look(now: number): void {
    const { pingEveryMs, answerWithinMs, passwordWithinMs } = this.#patience;
    for (const state of this.#open.values()) {
      if (state.pingedAt !== undefined && now - state.pingedAt > answerWithinMs) state.end();
      else if (this.#passwordWanted && !state.admitted && now - state.openedAt > passwordWithinMs) state.end();
      else if (state.pingedAt === undefined && now - state.lastPingAt > pingEveryMs) state.ping(now);
    }
  }
}
