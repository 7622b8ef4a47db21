/**
 * The one place where an error becomes an answer: plain text on the proxy path (kubectl shows it verbatim), problem+json
 * (RFC 9457) on the rest of HTTP, a ConnectError with an `ErrorInfo` on RPC. What is not a `Refusal` is a bug: it leaves
 * as `INTERNAL_ERROR` without its message.
 */
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { codeToHttpStatus, errorToJson } from '@connectrpc/connect/protocol-connect';
import { errorCatalogue, errorPage, Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { ErrorInfoSchema } from '@clustral/schemas/gen/clustral/v1/errors_pb.ts';

/** What every answer needs to know of its surroundings. */
export type ErrorContext = { readonly docsBaseUrl: string; readonly correlationId: string };

/** An HTTP answer ready to be written: header names in lower case, body as text. */
export type ErrorAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** The refusal that stands for any thrown value. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  return new Refusal(
    'INTERNAL_ERROR',
    'Something went wrong inside Clustral. Give the correlation id to the operator.',
  );
}

/** The answer on `/api/proxy/*`: one self-speaking line of text, the facts in headers. */
export function textAnswer(thrown: unknown, context: ErrorContext): ErrorAnswer {
  const refusal = refusalOf(thrown);
  const body = `${printableMessage(refusal.message)}\n`;
  return {
    status: errorCatalogue[refusal.code].http,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-clustral-error-code': refusal.code,
      ...(refusal.field === undefined ? {} : { 'x-clustral-error-field': headerValue(refusal.field) }),
      ...Object.fromEntries(
        Object.entries(refusal.metadata).map(([key, value]) => [
          `x-clustral-error-meta-${key.toLowerCase()}`,
          headerValue(value),
        ]),
      ),
      ...retryAfter(refusal),
      link: `<${errorPage(context.docsBaseUrl, refusal.code)}>; rel="help"`,
      'x-correlation-id': context.correlationId,
    },
    body,
  };
}

/** The answer on every other HTTP path (RFC 9457). `instance` is the path of the request. */
export function problemAnswer(thrown: unknown, context: ErrorContext & { readonly instance: string }): ErrorAnswer {
  const refusal = refusalOf(thrown);
  const { http, title } = errorCatalogue[refusal.code];
  const body = JSON.stringify({
    type: errorPage(context.docsBaseUrl, refusal.code),
    title,
    status: http,
    detail: refusal.message,
    instance: context.instance,
    code: refusal.code,
    traceId: context.correlationId,
    ...(refusal.field === undefined ? {} : { field: refusal.field }),
    ...(Object.keys(refusal.metadata).length === 0 ? {} : { metadata: refusal.metadata }),
  });
  return {
    status: http,
    headers: {
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(body)),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      ...retryAfter(refusal),
      'x-correlation-id': context.correlationId,
    },
    body,
  };
}

/** The error on RPC, with an `ErrorInfo` detail. */
export function connectError(thrown: unknown, context: ErrorContext): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const refusal = refusalOf(thrown);
  const info = create(ErrorInfoSchema, {
    code: refusal.code,
    field: refusal.field ?? '',
    metadata: { ...refusal.metadata },
    help: errorPage(context.docsBaseUrl, refusal.code),
    correlationId: context.correlationId,
  });
  return new ConnectError(refusal.message, connectCodeOf(refusal.code), { 'x-correlation-id': context.correlationId }, [
    { desc: ErrorInfoSchema, value: info },
  ]);
}

/** The answer to a Connect call that never reached a Connect server (unary error of the Connect protocol, JSON). */
export function connectAnswer(thrown: unknown, context: ErrorContext): ErrorAnswer {
  const error = connectError(thrown, context);
  const body = JSON.stringify(errorToJson(error, undefined));
  return {
    status: codeToHttpStatus(error.code),
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      ...(thrown instanceof Refusal ? retryAfter(thrown) : {}),
      'x-correlation-id': context.correlationId,
    },
    body,
  };
}

function connectCodeOf(code: ErrorCode): Code {
  const name = errorCatalogue[code].connect;
  const key = name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase()) as keyof typeof Code;
  return Code[key];
}

const retryAfter = (refusal: Refusal): Record<string, string> => {
  const seconds = refusal.metadata['retryAfterSeconds'];
  return seconds === undefined ? {} : { 'retry-after': seconds };
};

// A header carries visible ASCII; anything else, a line break above all, travels percent-encoded (PX-15, PX-23).
const headerValue = (value: string): string =>
  value.replace(/[^\x20-\x7e]|%/gu, (char) => encodeURIComponent(char.isWellFormed() ? char : '\ufffd'));

/** A sentence for a terminal, where control and direction marks are an attack, not text (PX-23, ID-14). */
export const printableMessage = (message: string): string =>
  message.replace(
    /[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu,
    (char) => `\\u${char.codePointAt(0)?.toString(16).padStart(4, '0')}`,
  );
