/**
 * Reads what `strace -f -yy` wrote: system calls in their order, with the bytes that went through. A call that another thread's
 * interrupted in the print is put together again; both its beginning and its end keep their place. Lines that are no
 * such call are passed over.
 */

/** One call on a file or socket. `from` and `to` are the places of its beginning and its end among all lines. */
export type SystemCall = {
  readonly name: string;
  /** Path, or what the socket is: `UNIX-STREAM:[1->2,"/path"]`. */
  readonly file: string;
  /** As many bytes as the call moved; empty for one that moves none or that failed. */
  readonly bytes: Buffer;
  readonly result: number;
  readonly from: number;
  readonly to: number;
};

const line = /^(?:\[pid +)?(\d+)\]? +(?:[\d.]+ +)?(.*)$/;
const resumed = /^<\.\.\. (\w+) resumed>(.*)$/;
const call = /^(\w+)\(\d+<(.*?)>(?:, |\))(.*?)\)? += (-?\d+)/s;
const unfinished = ' <unfinished ...>';
const oneBuffer = new Set(['read', 'write', 'pread64', 'pwrite64', 'recvfrom', 'sendto']);

/** The calls in the order in which they ended. Throws for a trace that cut bytes off: it proves nothing. */
export function parseTrace(text: string): readonly SystemCall[] {
  const begun = new Map<string, { readonly text: string; readonly from: number }>();
  const calls: SystemCall[] = [];
  for (const [at, whole] of text.split('\n').entries()) {
    const [, thread = '', said = ''] = line.exec(whole) ?? [];
    if (said.endsWith(unfinished)) {
      begun.set(thread, { text: said.slice(0, -unfinished.length), from: at });
      continue;
    }
    const [, , rest] = resumed.exec(said) ?? [];
    const first = rest === undefined ? undefined : begun.get(thread);
    if (rest !== undefined) begun.delete(thread);
    const found = callOf(first === undefined ? said : first.text + rest);
    if (found !== undefined) calls.push({ ...found, from: first?.from ?? at, to: at });
  }
  return calls;
}

function callOf(said: string): Omit<SystemCall, 'from' | 'to'> | undefined {
  const [, name, file = '', rest = '', result] = call.exec(said) ?? [];
  if (name === undefined) return undefined;
  if (/"\.\.\./.test(rest)) throw new Error(`the trace cut off the bytes of a ${name}: trace again with a larger -s`);
  const moved = Math.max(0, Number(result));
  return { name, file, result: Number(result), bytes: bytesOf(name, rest).subarray(0, moved) };
}

function bytesOf(name: string, rest: string): Buffer {
  const text = oneBuffer.has(name) ? /"((?:[^"\\]|\\.)*)"/g : /iov_base="((?:[^"\\]|\\.)*)"/g;
  const texts = [...rest.matchAll(text)].map(([, found = '']) => found);
  return Buffer.concat((oneBuffer.has(name) ? texts.slice(0, 1) : texts).map(unescaped));
}

const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', v: '\v', f: '\f', r: '\r' };

/** As strace escapes: C's letters, octal without leading zeros, everything else is itself. */
function unescaped(text: string): Buffer {
  const plain = text.replace(/\\([0-7]{1,3}|.)/g, (_, escaped: string) =>
    /^[0-7]/.test(escaped) ? String.fromCharCode(parseInt(escaped, 8)) : (letters[escaped] ?? escaped),
  );
  return Buffer.from(plain, 'latin1');
}
