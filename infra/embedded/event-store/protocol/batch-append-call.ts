/**
 * Serves `Streams/BatchAppend`: many appends on one call, each under an id of its own, in pieces that may be mixed with those
 * of others. Each id is answered exactly once, whatever happens to it, because the official client counts on that; what is
 * wrong with one append never ends the call.
 *
 *   BatchAppendReq    1 correlation id  2 options (1 stream, 2 to 5 expectation, 6 or 7 deadline)  3 events  4 is final
 *   BatchAppendResp   1 correlation id  2 error (google.rpc.Status)  3 success  4 stream  5 to 8 expectation
 */
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { GrpcError, status } from '../grpc/status.ts';
import { WireReader } from '../grpc/wire-reader.ts';
import { bytesField, encode, messageField, numberField } from '../grpc/wire-writer.ts';
import type { Outcome } from '../records.ts';
import { encodeSuccess } from './append-call.ts';
import { batchStatus } from './batch-status.ts';
import { invalidArgument } from './errors.ts';
import { checkWritable, readExpectation, readStreamIdentifier, type Expectation } from './expectation.ts';
import { ProposedEvents, readUuid } from './proposed-events.ts';
import type { ServedLog } from './served-log.ts';

const maxPending = 1_000;
/** As long as EventStoreDB gives a write by default, however far off the client's own deadline is. */
const writeWithinMs = 10_000;

/** An append whose last piece has not come yet. */
type Pending = {
  readonly correlation: Buffer;
  readonly target: Target;
  readonly proposed: ProposedEvents;
  readonly late: NodeJS.Timeout;
  held: number;
};

type Target = Expectation & { readonly stream: string; readonly timeoutMs: number };

type Request = {
  readonly id: Buffer;
  /** The id as it was sent: it goes back in the same form. */
  readonly correlation: Buffer;
  readonly options: Buffer | undefined;
  readonly events: readonly Buffer[];
  readonly isFinal: boolean;
};

export function serveBatchAppend(served: ServedLog, call: GrpcCall): void {
  const batch = new Batch(served, call);
  call.onGone(() => batch.abandon());
  call.receive({ message: (message) => batch.take(message), end: () => batch.end() });
}

class Batch {
  readonly #served: ServedLog;
  readonly #call: GrpcCall;
  readonly #pending = new Map<string, Pending>();
  #writing = 0;
  #ended = false;

  constructor(served: ServedLog, call: GrpcCall) {
    this.#served = served;
    this.#call = call;
  }

  take(message: Buffer): void {
    const request = readRequest(message);
    const key = request.id.toString('latin1');
    try {
      if (request.options !== undefined && !this.#pending.has(key)) this.#begin(key, request);
      const pending = this.#pending.get(key);
      // Pieces of an append that was answered already, or never begun: nobody waits for an answer.
      if (pending === undefined) return;
      this.#served.budget.take(message.byteLength);
      pending.held += message.byteLength;
      for (const event of request.events) pending.proposed.add(event);
      if (request.isFinal) this.#write(key, pending);
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      const target = this.#drop(key)?.target;
      const stream = target?.stream ?? streamOf(request);
      this.#answer(request.correlation, { stream, target }, messageField(2, batchStatus(error, stream)));
    }
  }

  /** The client sends no more: the call ends when all that is being written is answered. */
  end(): void {
    this.#ended = true;
    if (this.#writing === 0) this.#call.finish();
  }

  abandon(): void {
    for (const key of this.#pending.keys()) this.#drop(key);
  }

  #begin(key: string, { correlation, options }: Request): void {
    const target = readOptions(new WireReader(options ?? Buffer.alloc(0)));
    const denied = checkWritable(target.stream);
    if (denied !== undefined) throw denied;
    if (target.timeoutMs <= 0) throw new GrpcError(status.deadlineExceeded, 'the append came after its deadline');
    if (this.#pending.size >= maxPending)
      throw new GrpcError(status.resourceExhausted, 'too many appends are unfinished');
    const late = setTimeout(() => {
      this.#drop(key);
      const error = new GrpcError(status.deadlineExceeded, 'the append was not complete in time');
      this.#answer(correlation, { stream: target.stream, target }, messageField(2, batchStatus(error, target.stream)));
    }, target.timeoutMs);
    const proposed = new ProposedEvents(this.#served.maxAppendBytes);
    this.#pending.set(key, { correlation, target, proposed, late, held: 0 });
  }

  #write(key: string, { correlation, target, proposed, held, late }: Pending): void {
    const { log, budget } = this.#served;
    const deadlineAt = performance.now() + target.timeoutMs;
    clearTimeout(late);
    this.#pending.delete(key);
    this.#writing += 1;
    const settle = (result: Buffer) => {
      budget.giveBack(held);
      this.#writing -= 1;
      this.#answer(correlation, { stream: target.stream, target }, result);
      if (this.#ended && this.#writing === 0) this.#call.finish();
    };
    log.change({
      change: { kind: 'append', stream: target.stream, expected: target.expected, events: proposed.events },
      bytes: proposed.bytes,
      // The client is always answered, so what is late is refused rather than dropped.
      abandoned: () => {
        if (!this.#call.over && deadlineAt >= performance.now()) return false;
        const error = new GrpcError(status.deadlineExceeded, 'the append waited too long');
        settle(messageField(2, batchStatus(error, target.stream)));
        return true;
      },
      settle: (outcome) => settle(resultOf(outcome, target)),
    });
  }

  #answer(correlation: Buffer, about: { stream: string; target: Target | undefined }, result: Buffer): void {
    const stream = messageField(4, bytesField(3, about.stream));
    this.#call.send(encode(bytesField(1, correlation), result, stream, ...expectationFields(about.target)));
  }

  /** Forgets an append that will not be written. */
  #drop(key: string): Pending | undefined {
    const pending = this.#pending.get(key);
    if (pending === undefined) return undefined;
    clearTimeout(pending.late);
    this.#served.budget.giveBack(pending.held);
    this.#pending.delete(key);
    return pending;
  }
}

function resultOf(outcome: Outcome, { stream, expected, sent }: Target): Buffer {
  if (outcome.kind === 'done') return messageField(3, encodeSuccess(outcome));
  return messageField(2, batchStatus(outcome, stream, { expected, sent }));
}

function expectationFields(target: Target | undefined): readonly Buffer[] {
  if (target === undefined) return [];
  const { expected, sent } = target;
  if (expected.kind === 'any') return [messageField(7)];
  if (expected.kind === 'exists') return [messageField(8)];
  return [expected.revision === -1 ? messageField(6) : numberField(5, sent)];
}

function readRequest(message: Buffer): Request {
  let correlation: Buffer | undefined;
  let options: Buffer | undefined;
  let isFinal = false;
  const events: Buffer[] = [];
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) correlation = reader.bytes();
    else if (reader.field === 2) options = reader.bytes();
    else if (reader.field === 3) events.push(reader.bytes());
    else if (reader.field === 4) isFinal = reader.number() !== 0;
    else reader.skip();
  }
  if (correlation === undefined) throw invalidArgument('an append in a batch has no correlation id');
  return { id: readUuid(new WireReader(correlation)), correlation, options, events, isFinal };
}

function readOptions(reader: WireReader): Target {
  let stream = '';
  let expectation: Expectation | undefined;
  let timeoutMs = writeWithinMs;
  while (reader.next()) {
    const found = readExpectation(reader);
    if (found !== undefined) expectation = found;
    else if (reader.field === 1) stream = readStreamIdentifier(reader.message());
    else if (reader.field === 6) timeoutMs = readSeconds(reader.message()) * 1_000 - Date.now();
    else if (reader.field === 7) timeoutMs = readSeconds(reader.message()) * 1_000;
    else reader.skip();
  }
  if (expectation === undefined) throw invalidArgument('an append names the expected revision');
  return { stream, ...expectation, timeoutMs: Math.min(timeoutMs, writeWithinMs) };
}

/** `google.protobuf.Timestamp` and `Duration`: 1 seconds, 2 nanoseconds. */
function readSeconds(reader: WireReader): number {
  let seconds = 0;
  while (reader.next()) {
    if (reader.field === 1) seconds += Number(BigInt.asIntN(64, reader.uint64()));
    else if (reader.field === 2) seconds += Number(BigInt.asIntN(64, reader.uint64())) / 1e9;
    else reader.skip();
  }
  return seconds;
}

/** The stream that options name which could not be read to their end. */
function streamOf({ options }: Request): string {
  if (options === undefined) return '';
  const reader = new WireReader(options);
  while (reader.next()) {
    if (reader.field === 1) return readStreamIdentifier(reader.message());
    reader.skip();
  }
  return '';
}
