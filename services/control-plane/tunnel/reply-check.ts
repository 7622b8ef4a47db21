/**
 * Whether a reply's head, as an agent sends it, can be written as an HTTP answer at all: a status that a final answer may have
 * and header lines without control characters, so that no cluster can write lines of its own into an answer (PX-20).
 */

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
// Field values are visible characters, blanks and tabs (RFC 9110, 5.5), one char per byte.
const value = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `headers` is name, value, name, value. */
export function isReplyHead(status: number, headers: readonly string[], isUpgrade: boolean): boolean {
  const isFinal = (status >= 200 && status <= 599) || (status === 101 && isUpgrade);
  if (!isFinal || headers.length % 2 !== 0) return false;
  return headers.every((line, index) => (index % 2 === 0 ? token : value).test(line));
}
