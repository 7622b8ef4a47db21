/**
 * The agent's own token at the API server, mostly from a file that somebody else rewrites now and then. The rule it lives by (F-35): a
 * request goes out with a whole token or not at all. So the file is looked at again and again, read when it
 * changed, and what was just written counts only once it has rested for a moment.
 */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileOrText } from './kubernetes-config.ts';

/** Requests come by the thousand a second; a look for each would cost a twentieth of them. */
const lookEveryMs = 20;
const restMs = 50;
const longestUnrestMs = 1_000;
/** How long the token of before may be used while the file does not come to rest. */
const previousGoodMs = 60_000;
const mostBytes = 65_536;

/** There is no whole token. The message is for the person who made the request. */
export class NoToken extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoToken';
  }
}

/** The agent's token as it is now. An empty one says that there is none: then its client certificate speaks for it. */
export type OwnToken = {
  /** Undefined when `settled` must be asked. */
  peek(): string | undefined;
  settled(): Promise<string>;
};

/** `monotonic` gives milliseconds of a clock that nobody sets. */
export function ownToken(source: FileOrText | undefined, monotonic: () => number): OwnToken {
  if (source && 'path' in source) return new ServiceAccountToken(source.path, monotonic);
  const token = source?.text ?? '';
  return { peek: () => token, settled: () => Promise.resolve(token) };
}

type Kept = { readonly token: string; readonly mark: string; readonly at: number };

class ServiceAccountToken implements OwnToken {
  readonly #path: string;
  readonly #monotonic: () => number;
  #kept: Kept | undefined;
  #settling: Promise<string> | undefined;
  #lookedAt = -Infinity;

  constructor(path: string, monotonic: () => number) {
    this.#path = path;
    this.#monotonic = monotonic;
  }

  /** The token, if the file is as it was when it was read; else `settled` must be asked. */
  peek(): string | undefined {
    if (this.#kept === undefined) return undefined;
    const now = this.#monotonic();
    if (now - this.#lookedAt < lookEveryMs) return this.#kept.token;
    if (markOf(this.#path) !== this.#kept.mark) return undefined;
    this.#lookedAt = now;
    return this.#kept.token;
  }

  /** Reads the file. Rejects with `NoToken` when it is not there, is empty, or holds no token. */
  settled(): Promise<string> {
    this.#settling ??= this.#settle().finally(() => (this.#settling = undefined));
    return this.#settling;
  }

  async #settle(): Promise<string> {
    const until = this.#monotonic() + longestUnrestMs;
    let before = markOf(this.#path);
    for (;;) {
      if (before === undefined) throw new NoToken(`The agent's service account token is not there: ${this.#path}.`);
      await delay(restMs);
      const token = (await readFile(this.#path, 'latin1').catch(() => '')).trim();
      const mark = markOf(this.#path);
      if (mark === before) {
        this.#kept = { token: checked(token, this.#path), mark, at: this.#monotonic() };
        return token;
      }
      before = mark;
      if (this.#monotonic() >= until) return this.#previous();
    }
  }

  #previous(): string {
    if (this.#kept && this.#monotonic() - this.#kept.at < previousGoodMs) return this.#kept.token;
    throw new NoToken(`The agent's service account token is being rewritten again and again: ${this.#path}.`);
  }
}

// What changes with every write: a local file answers in microseconds, and waiting for it would cost more.
function markOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found && `${found.ino}:${found.size}:${found.mtimeMs}`;
  } catch {
    // Not allowed to look is as good as not there: the request is refused and the path named.
    return undefined;
  }
}

function checked(token: string, path: string): string {
  if (token === '') throw new NoToken(`The agent's service account token is empty: ${path}.`);
  const parts = token.split('.');
  // A JSON web token that lacks one of its three parts was cut off.
  const isCut = token.startsWith('eyJ') && (parts.length !== 3 || parts.includes(''));
  if (isCut || token.length > mostBytes || !/^[\x21-\x7e]+$/.test(token)) {
    throw new NoToken(`The agent's service account token is not a whole token: ${path}.`);
  }
  return token;
}
