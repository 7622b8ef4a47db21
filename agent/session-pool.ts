/**
 * HTTP/2 connections to the API server for one kind of request. An API server allows some 100 to 250 streams on a connection, and
 * the one that comes after waits for ever, so a further connection is opened before the limit. A connection that stopped
 * answering, or that the server is leaving, gets no new request.
 */
import http2, { type ClientHttp2Session, type Settings } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Pulse } from './pulse.ts';

/** Small enough that many stalled readers cost little, large enough for a cluster's own network. */
const windows = { stream: 512 * 1024, connection: 64 * 1024 * 1024 };
/** When the server does not say its own in time. */
const presumedLimit = 100;
const settingsMs = 2_000;
/** A further connection is opened when this part of every limit is used. */
const fullAt = 0.8;
const idleMs = 300_000;

export type PooledSession = {
  readonly session: ClientHttp2Session;
  readonly pulse: Pulse;
  open: number;
  limit: number;
  leaving: boolean;
  usedAt: number;
};

export type PoolOptions = {
  readonly authority: string;
  readonly most: number;
  /** Gives a secured socket that speaks HTTP/2. */
  readonly dial: () => Promise<TLSSocket>;
  readonly monotonic: () => number;
};

export class SessionPool {
  readonly #options: PoolOptions;
  readonly #sessions: PooledSession[] = [];
  #growing: Promise<void> | undefined;
  #isDestroyed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** A connection with room, or undefined: then `grow`, while `canGrow`. The first are filled first, so that others rest. */
  ready(): PooledSession | undefined {
    const now = this.#options.monotonic();
    let room: PooledSession | undefined;
    for (const pooled of this.#sessions) {
      if (pooled.open >= pooled.limit || !isUsable(pooled, now)) continue;
      if (pooled.open < pooled.limit * fullAt) return pooled;
      room ??= pooled;
    }
    if (room && this.canGrow) void this.grow().catch(() => undefined);
    return room;
  }

  /** The connection on which a request waits least when all are full; undefined when there is none. */
  leastFull(): PooledSession | undefined {
    const now = this.#options.monotonic();
    const usable = this.#sessions.filter((pooled) => isUsable(pooled, now));
    return usable.toSorted((one, other) => one.open - other.open)[0];
  }

  get canGrow(): boolean {
    return this.#sessions.filter(({ leaving }) => !leaving).length < this.#options.most;
  }

  /** Opens a further connection; several callers share one. Rejects with node's error. */
  grow(): Promise<void> {
    this.#growing ??= this.#dial().finally(() => (this.#growing = undefined));
    return this.#growing;
  }

  /** Counts a stream on the connection from now until what it returns is called. */
  use(pooled: PooledSession): () => void {
    pooled.open += 1;
    return () => {
      pooled.open -= 1;
      pooled.usedAt = this.#options.monotonic();
      if (pooled.leaving && pooled.open === 0) pooled.session.close();
    };
  }

  /** To be called several times a second. */
  tick(now: number): void {
    for (const pooled of this.#sessions) {
      pooled.pulse.tick(now);
      if (pooled.open === 0 && now - pooled.usedAt > idleMs) this.#leave(pooled);
    }
  }

  destroy(): void {
    this.#isDestroyed = true;
    for (const { session } of this.#sessions) session.destroy();
  }

  async #dial(): Promise<void> {
    const { authority, dial, monotonic } = this.#options;
    const socket = await dial();
    const session = http2.connect(`https://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windows.stream },
      maxSessionMemory: 64,
    });
    session.setLocalWindowSize(windows.connection);
    // Its streams are told, and close; so does it.
    session.on('error', () => undefined);
    // Streams beyond the server's limit are refused, so it is learnt before the first one.
    const limit = await streamLimit(session);
    if (this.#isDestroyed) session.destroy();
    if (session.destroyed) throw Object.assign(new Error('closed at once'), { code: 'ECONNRESET' });
    const now = monotonic();
    const pooled: PooledSession = {
      session,
      pulse: new Pulse(session, now),
      open: 0,
      limit,
      leaving: false,
      usedAt: now,
    };
    session.on('remoteSettings', (settings) => (pooled.limit = limitIn(settings)));
    session.on('goaway', () => this.#leave(pooled));
    session.on('close', () => this.#sessions.splice(this.#sessions.indexOf(pooled), 1));
    this.#sessions.push(pooled);
  }

  #leave(pooled: PooledSession): void {
    pooled.leaving = true;
    if (pooled.open === 0) pooled.session.close();
  }
}

const isUsable = ({ session, pulse, leaving }: PooledSession, now: number): boolean =>
  !leaving && !session.closed && !session.destroyed && !pulse.isSilent(now);

const limitIn = ({ maxConcurrentStreams }: Settings): number => Math.max(1, maxConcurrentStreams ?? Infinity);

async function streamLimit(session: ClientHttp2Session): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const timer = setTimeout(resolve, settingsMs, presumedLimit);
  session.once('remoteSettings', (settings) => resolve(limitIn(settings)));
  session.once('close', () => resolve(presumedLimit));
  return promise.finally(() => clearTimeout(timer));
}
