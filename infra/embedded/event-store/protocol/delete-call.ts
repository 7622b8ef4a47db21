/**
 * Serves `Streams/Delete`, which hides a stream until somebody writes to it again, and `Streams/Tombstone`, which ends it for
 * good. Unlike an append, one at a wrong revision is an error.
 *
 *   DeleteReq, TombstoneReq     1 options (1 stream, 2 to 5 expectation)
 *   DeleteResp, TombstoneResp   1 position (1 commit, 2 prepare)
 */
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { WireReader } from '../grpc/wire-reader.ts';
import { messageField, numberField } from '../grpc/wire-writer.ts';
import type { Outcome } from '../records.ts';
import { notNow } from './append-call.ts';
import { deleteAtWrongVersion, invalidArgument, streamDeleted } from './errors.ts';
import { checkWritable, readExpectation, readStreamIdentifier, type Expectation } from './expectation.ts';
import type { ServedLog } from './served-log.ts';
import { receiveOne } from './unary.ts';

type Target = Expectation & { readonly stream: string };

export function serveDelete(kind: 'delete' | 'tombstone', { log }: ServedLog, call: GrpcCall): void {
  receiveOne(call, (message) => {
    const target = readRequest(new WireReader(message));
    log.change({
      change: { kind, stream: target.stream, expected: target.expected },
      bytes: target.stream.length,
      abandoned: () => call.over || call.deadlineAt < performance.now(),
      settle: (outcome) => answer(call, target, outcome),
    });
  });
}

function answer(call: GrpcCall, { stream, sent }: Target, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'done': {
      const { position } = outcome;
      call.finish(messageField(1, numberField(1, position), numberField(2, position)));
      return;
    }
    case 'wrongRevision':
      call.failWith(deleteAtWrongVersion({ stream, expected: sent, current: outcome.current }));
      return;
    case 'tombstoned':
      call.failWith(streamDeleted(stream));
      return;
    case 'busy':
    case 'unavailable':
      call.failWith(notNow(outcome));
      return;
    default:
      outcome satisfies never;
  }
}

function readRequest(reader: WireReader): Target {
  let target: Target | undefined;
  while (reader.next()) {
    if (reader.field === 1) target = readOptions(reader.message());
    else reader.skip();
  }
  if (target === undefined) throw invalidArgument('a deletion needs options');
  return target;
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
  if (stream.startsWith('$$')) throw invalidArgument('the metadata of a stream cannot be deleted by itself');
  if (expectation === undefined) throw invalidArgument('a deletion names the expected revision');
  return { stream, ...expectation };
}
