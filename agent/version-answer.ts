/**
 * The API server's answer to what version it is: the one thing that an agent asks as itself, when it connects. It is for people to read
 * and decides nothing; why there is none is told as well, since it is the first word of a cluster that cannot be used.
 */
import type { LaneFailure } from '@clustral/schemas/lane-codec.ts';
import type { UpstreamHandlers } from './upstream.ts';

/** The version is empty when it is not known; then there may be a sentence that says why. */
export type ServerVersion = { readonly version: string; readonly problem: string | undefined };

const mostBytes = 16_384;
const longestVersion = 64;

export class VersionAnswer implements UpstreamHandlers {
  readonly #server: string;
  readonly #found = Promise.withResolvers<ServerVersion>();
  #status = 0;
  #text = '';

  /** `server` begins a sentence about it. */
  constructor(server: string) {
    this.#server = server;
  }

  /** What was found within the time. */
  async within(limitMs: number): Promise<ServerVersion> {
    const timer = setTimeout(
      () => this.#missing(`${this.#server} did not answer within ${limitMs / 1000} s.`),
      limitMs,
    );
    const found = await this.#found.promise;
    clearTimeout(timer);
    return found;
  }

  head(status: number): void {
    this.#status = status;
  }

  data(chunk: Buffer): boolean {
    if (this.#text.length < mostBytes) this.#text += chunk.toString('utf8');
    return true;
  }

  end(): void {
    // A server may well keep its version to itself (403).
    if (this.#status === 401) this.#missing(`${this.#server} does not accept the agent's own credentials (401).`);
    else this.#found.resolve({ version: versionIn(this.#text), problem: undefined });
  }

  fail({ message }: LaneFailure): void {
    this.#missing(message);
  }

  drain(): void {
    // There is no body to send.
  }

  #missing(problem: string): void {
    this.#found.resolve({ version: '', problem });
  }
}

function versionIn(json: string): string {
  try {
    const { gitVersion } = JSON.parse(json) as { gitVersion?: unknown };
    return typeof gitVersion === 'string' ? gitVersion.slice(0, longestVersion) : '';
  } catch {
    return '';
  }
}
