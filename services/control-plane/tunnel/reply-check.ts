/**
 * What is believed of an agent's words: a reply's head only if it can be written as an HTTP answer at all, with a status that a
 * final answer may have and header lines without control characters, so that no cluster can write lines of its own into an
 * answer (PX-20); and of a failure only the few codes that are an agent's to give.
 */
import { isErrorCode, Refusal } from '@clustral/schemas/errors.ts';
import type { LaneFailure } from '@clustral/schemas/lane-codec.ts';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
// Field values are visible characters, blanks and tabs (RFC 9110, 5.5), one char per byte.
const value = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `headers` is name, value, name, value. */
export function isReplyHead(status: number, headers: readonly string[], isUpgrade: boolean): boolean {
  const isFinal = (status >= 200 && status <= 599) || (status === 101 && isUpgrade);
  if (!isFinal || headers.length % 2 !== 0) return false;
  return headers.every((line, index) => (index % 2 === 0 ? token : value).test(line));
}

const agentCodes: ReadonlySet<string> = new Set(['AGENT_ERROR', 'TUNNEL_TIMEOUT', 'TUNNEL_ERROR']);
const longestMessage = 500;

/** The refusal that stands for an agent's failure. */
export function agentRefusal({ code, message }: LaneFailure): Refusal {
  return new Refusal(
    isErrorCode(code) && agentCodes.has(code) ? code : 'TUNNEL_ERROR',
    message.slice(0, longestMessage),
  );
}
