/**
 * Serves `Streams/Append`: takes what the client sends, hands it to the writer as one append, and answers with what became
 * of it. A wrong expected revision is an answer, not an error.
 *
 *   AppendReq    1 options (1 stream, 2 to 5 expectation)   2 event
 *   AppendResp   1 success (1 revision, 2 no stream, 3 position, 4 no position)
 *                2 wrong version (1, 2 current and 3 to 5 expected as in 20.6; 6 to 11 the same for newer clients)
 */
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { GrpcError, status } from '../grpc/status.ts';
import { WireReader } from '../grpc/wire-reader.ts';
import { encode, messageField, numberField } from '../grpc/wire-writer.ts';
import type { Outcome } from '../records.ts';
import type { ServedLog } from './served-log.ts';
import { invalidArgument, streamDeleted } from './errors.ts';
import { checkWritable, readExpectation, readStreamIdentifier, type Expectation } from './expectation.ts';
import { ProposedEvents } from './proposed-events.ts';

const uploadWithinMs = 30_000;

type Target = Expectation & { readonly stream: string };

export function serveAppend({ log, budget, maxAppendBytes }: ServedLog, call: GrpcCall): void {
  const proposed = new ProposedEvents(maxAppendBytes);
  let target: Target | undefined;
  let held = 0;
  const late = setTimeout(
    () => call.fail(status.deadlineExceeded, `the append was not complete after ${uploadWithinMs} ms`),
    uploadWithinMs,
  );
  call.onGone(() => {
    clearTimeout(late);
    budget.giveBack(held);
  });
  call.receive({
    message: (message) => {
      budget.take(message.byteLength);
      held += message.byteLength;
      target = readMessage(message, { target, proposed });
    },
    end: () => {
      if (target === undefined) throw invalidArgument('an append begins with its options');
      const { stream, expected } = target;
      const asked = target;
      log.change({
        change: { kind: 'append', stream, expected, events: proposed.events },
        bytes: proposed.bytes,
        abandoned: () => call.over || call.deadlineAt < performance.now(),
        settle: (outcome) => answer(call, asked, outcome),
      });
    },
  });
}

function readMessage(
  message: Buffer,
  { target, proposed }: { target: Target | undefined; proposed: ProposedEvents },
): Target | undefined {
  let known = target;
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) {
      if (known !== undefined) throw invalidArgument('an append has one set of options');
      known = readOptions(reader.message());
    } else if (reader.field === 2) {
      if (known === undefined) throw invalidArgument('an append begins with its options');
      proposed.add(reader.bytes());
    } else reader.skip();
  }
  return known;
}

function readOptions(reader: WireReader): Target {
  let stream = '';
  let expectation: Expectation | undefined;
  while (reader.next()) {
    const found = readExpectation(reader);
    if (found !== undefined) expectation = found;
    else if (reader.field === 1) stream = readStreamIdentifier(reader.message());
    else reader.skip();
  }
  const denied = checkWritable(stream);
  if (denied !== undefined) throw denied;
  if (expectation === undefined) throw invalidArgument('an append names the expected revision');
  return { stream, ...expectation };
}

function answer(call: GrpcCall, asked: Target, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'done':
      call.finish(messageField(1, encodeSuccess(outcome)));
      return;
    case 'wrongRevision':
      call.finish(messageField(2, encodeWrongVersion(asked, outcome.current)));
      return;
    case 'tombstoned':
      call.failWith(streamDeleted(asked.stream));
      return;
    case 'busy':
    case 'unavailable':
      call.failWith(notNow(outcome));
      return;
    default:
      outcome satisfies never;
  }
}

/** The same for all calls that change something; clients try again elsewhere or later. */
export function notNow({ reason }: Extract<Outcome, { kind: 'busy' | 'unavailable' }>): GrpcError {
  return new GrpcError(status.unavailable, reason);
}

/** The `success` of both kinds of append. */
export function encodeSuccess({ revision, position }: Extract<Outcome, { kind: 'done' }>): Buffer {
  const place = [numberField(1, position), numberField(2, position)];
  return encode(
    revision === -1 ? messageField(2) : numberField(1, revision),
    position === 0 ? messageField(4) : messageField(3, ...place),
  );
}

function encodeWrongVersion({ expected, sent }: Target, current: number): Buffer {
  const currents =
    current === -1 ? [messageField(2), messageField(7)] : [numberField(1, current), numberField(6, current)];
  if (expected.kind === 'any') return encode(...currents, messageField(4), messageField(9));
  if (expected.kind === 'exists') return encode(...currents, messageField(5), messageField(10));
  if (expected.revision === -1) return encode(...currents, messageField(11));
  return encode(...currents, numberField(3, sent), numberField(8, sent));
}
