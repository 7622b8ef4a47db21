/**
 * How a gRPC call ends: a status code, a sentence for people, and trailers that a client's code reads. Everything that is
 * refused is thrown as `GrpcError` and becomes an answer in one place; any other error is a bug of ours.
 *
 * Codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type StatusCode = (typeof status)[keyof typeof status];

/** Names are lower case; values may hold any character and are made ASCII on their way out. */
export type Trailers = Readonly<Record<string, string>>;

export class GrpcError extends Error {
  readonly code: StatusCode;
  readonly trailers: Trailers;

  constructor(code: StatusCode, message: string, trailers: Trailers = {}) {
    super(message);
    this.name = 'GrpcError';
    this.code = code;
    this.trailers = trailers;
  }
}

/** The headers that end a call. The message may hold any character: it travels percent-encoded (gRPC over HTTP/2). */
export function endingHeaders(code: StatusCode, message: string, trailers: Trailers): Record<string, string> {
  const headers: Record<string, string> = { 'grpc-status': String(code), 'grpc-message': percentEncoded(message) };
  for (const [name, value] of Object.entries(trailers)) headers[name] = printable(value);
  return headers;
}

/** Header values are ASCII: HTTP/2 would carry more, and clients drop it. Other characters come percent-encoded. */
function printable(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]+/g, encodeBytes);
}

function percentEncoded(message: string): string {
  return message.replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeBytes);
}

function encodeBytes(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
