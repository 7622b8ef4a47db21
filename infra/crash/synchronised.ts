/**
 * Decides from a trace of the event store whether it answered appends only when they were on disk (G1): each append is known by a
 * mark in its data, found in the request, in the bytes written to the log, and its answer by the stream of the connection.
 * Between the last byte written to the log before the answer and the answer, the file must have been synchronised.
 */
import { MarkedAnswers } from './http2-streams.ts';
import type { SystemCall } from './trace.ts';

/** What is known of one append; `fault` says why it proves the contrary, or why it proves nothing. */
export type AppendEvidence = { readonly mark: string; readonly fault: string | undefined };

const writes = new Set(['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2']);
const sends = new Set(['write', 'writev', 'sendto', 'sendmsg']);
const receives = new Set(['read', 'readv', 'recvfrom', 'recvmsg']);
/** The system calls that make a file's bytes durable. */
export const syncs = new Set(['fsync', 'fdatasync']);
const socket = /^(?:UNIX|TCP|UNIX-STREAM|TCPv6)(?:-STREAM)?:\[/;

/** Judges each mark. `isLog` tells the files of the log by their path: database and write-ahead log. */
export function judgeAppends(
  calls: readonly SystemCall[],
  marks: readonly string[],
  isLog: (path: string) => boolean,
): readonly AppendEvidence[] {
  const answers = answersOf(calls, marks);
  const log = calls.filter(({ file }) => isLog(file));
  const written = log.filter(({ name, result }) => writes.has(name) && result > 0);
  const synchronised = log.filter(({ name, result }) => syncs.has(name) && result === 0);
  return marks.map((mark) => {
    const answer = answers.get(mark);
    if (answer === undefined) return { mark, fault: 'no answer to it is in the trace' };
    const before = written.filter(({ from }) => from < answer.from);
    if (!before.some(({ bytes }) => bytes.includes(mark)))
      return { mark, fault: `it was answered in line ${answer.from + 1} before it was written to the log` };
    return { mark, fault: unsynchronised(before, synchronised, answer) };
  });
}

/** For each file: was it synchronised after its last write and before the answer? */
function unsynchronised(
  before: readonly SystemCall[],
  synchronised: readonly SystemCall[],
  answer: SystemCall,
): string | undefined {
  const last = new Map(before.map((call) => [call.file, call]));
  for (const [file, write] of last) {
    const isDurable = synchronised.some((sync) => sync.file === file && sync.from > write.to && sync.to < answer.from);
    if (!isDurable)
      return `line ${write.to + 1} wrote to ${file}, which was not synchronised before the answer in line ${answer.from + 1}`;
  }
  return undefined;
}

/** For each mark the call that sent the first bytes of the answer to its request. */
function answersOf(calls: readonly SystemCall[], marks: readonly string[]): ReadonlyMap<string, SystemCall> {
  const connections = new Map<string, MarkedAnswers>();
  const answers = new Map<string, SystemCall>();
  for (const call of calls) {
    if (!socket.test(call.file) || call.result <= 0) continue;
    const connection = connections.get(call.file) ?? new MarkedAnswers(marks);
    connections.set(call.file, connection);
    if (receives.has(call.name)) connection.received(call.bytes);
    if (!sends.has(call.name)) continue;
    for (const mark of connection.answered(call.bytes)) if (!answers.has(mark)) answers.set(mark, call);
  }
  return answers;
}
