/** What carries a request to the API server: the seam between a lane and the two versions of HTTP. */
import { hopByHop } from '@clustral/schemas/hop-by-hop.ts';
import type { LaneFailure } from '@clustral/schemas/lane-codec.ts';

/** One request, ready to be sent. All text holds one char per byte. */
export type UpstreamCall = {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value; names in lower case. */
  readonly headers: readonly string[];
  /** True when no body follows. */
  readonly bodyless: boolean;
};

/** What the sender of a request is told, in order: head once, then data, then exactly one of end and fail. */
export type UpstreamHandlers = {
  head(status: number, headers: readonly string[]): void;
  /** Returns false to stop the flow until `resume`. */
  data(chunk: Buffer): boolean;
  end(): void;
  /** No answer, or no rest of it. */
  fail(failure: LaneFailure): void;
  /** It can take more body after `write` returned false. */
  drain(): void;
};

/** The sending half. After `cancel` no handler is called any more. */
export type UpstreamRequest = {
  /** False = stop until `drain`. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  resume(): void;
  cancel(): void;
};

/** The reply's headers without pseudo headers, and without those of one hop. `raw` is name, value, name, value. */
export function replyHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (name.startsWith(':') || hopByHop.has(name.toLowerCase())) continue;
    headers.push(name, raw[at + 1] ?? '');
  }
  return headers;
}

export const agentError = (message: string): LaneFailure => ({ code: 'AGENT_ERROR', message });
