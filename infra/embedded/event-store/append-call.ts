/**
 * Serves `Streams/Append`: takes what the client sends, hands it to the writer as one append, and answers with what became
 * of it. A wrong expected revision is an answer, not an error.
 */
import { Metadata, status, type sendUnaryData, type ServerReadableStream } from '@grpc/grpc-js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { maxAppendBytes, TooLarge, Upload, type UploadBudget } from './append-upload.ts';
import type { EventLog } from './event-log.ts';
import { RefusedRequest } from './read-request.ts';
import type { AppendOutcome, Expected } from './records.ts';

const { AppendResp } = streamsPb;
const uploadDeadlineMs = 30_000;

type AppendCall = ServerReadableStream<streamsPb.AppendReq, streamsPb.AppendResp>;
type Answer = sendUnaryData<streamsPb.AppendResp>;
type Refused = Parameters<Answer>[0];

/** Answers one append. The budget is shared by all calls of the server. */
export function serveAppend(shared: { log: EventLog; budget: UploadBudget }, call: AppendCall, answer: Answer): void {
  const upload = new Upload(shared.budget);
  let answered = false;
  const settle: Answer = (error, value) => {
    if (answered) return;
    answered = true;
    clearTimeout(deadline);
    upload.release();
    answer(error, value);
  };
  const deadline = setTimeout(() => {
    settle({ code: status.DEADLINE_EXCEEDED, details: `the append was not complete after ${uploadDeadlineMs} ms` });
  }, uploadDeadlineMs);
  const attempt = (work: () => void) => {
    if (answered) return;
    try {
      work();
    } catch (error) {
      settle(refusal(error));
    }
  };
  call.on('cancelled', () => settle({ code: status.CANCELLED, details: 'cancelled by the client' }));
  call.on('error', () => settle({ code: status.CANCELLED, details: 'the append broke off' }));
  call.on('data', (message: streamsPb.AppendReq) => attempt(() => upload.take(message)));
  call.on('end', () =>
    attempt(() => {
      const { stream, expected } = upload.target();
      shared.log.append({
        stream,
        expected,
        events: upload.events,
        bytes: upload.bytes,
        abandoned: () => answered,
        settle: (outcome) => settle(...toAnswer(outcome, expected)),
      });
    }),
  );
}

/** Throws on what nobody foresaw. */
function refusal(error: unknown): Refused {
  if (error instanceof TooLarge) {
    const metadata = new Metadata();
    metadata.set('exception', 'maximum-append-size-exceeded');
    metadata.set('maximum-append-size', String(maxAppendBytes));
    return { code: status.INVALID_ARGUMENT, details: error.message, metadata };
  }
  if (!(error instanceof RefusedRequest)) throw error;
  return { code: error.code, details: error.message };
}

function toAnswer(outcome: AppendOutcome, expected: Expected): Parameters<Answer> {
  switch (outcome.kind) {
    case 'appended':
      return [null, success(outcome)];
    case 'wrongRevision':
      return [null, wrongRevision(outcome.current, expected)];
    case 'invalid':
      return [{ code: status.INVALID_ARGUMENT, details: outcome.reason }];
    case 'busy':
      return [{ code: status.RESOURCE_EXHAUSTED, details: outcome.reason }];
    case 'unavailable':
      return [{ code: status.UNAVAILABLE, details: outcome.reason }];
    default:
      return outcome satisfies never;
  }
}

function success({ revision, position }: { revision: number; position: number }): streamsPb.AppendResp {
  const place = new AppendResp.Position();
  place.setCommitPosition(String(position));
  place.setPreparePosition(String(position));
  const result = new AppendResp.Success();
  result.setCurrentRevision(String(revision));
  result.setPosition(place);
  const response = new AppendResp();
  response.setSuccess(result);
  return response;
}

function wrongRevision(current: number, expected: Expected): streamsPb.AppendResp {
  const result = new AppendResp.WrongExpectedVersion();
  if (current === -1) result.setCurrentNoStream(new sharedPb.Empty());
  else result.setCurrentRevision(String(current));
  if (expected.kind === 'any') result.setExpectedAny(new sharedPb.Empty());
  else if (expected.kind === 'exists') result.setExpectedStreamExists(new sharedPb.Empty());
  else if (expected.revision === -1) result.setExpectedNoStream(new sharedPb.Empty());
  else result.setExpectedRevision(String(expected.revision));
  const response = new AppendResp();
  response.setWrongExpectedVersion(result);
  return response;
}
