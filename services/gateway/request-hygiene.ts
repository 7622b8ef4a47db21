/**
 * Requests that two parsers could read differently are refused before anything else looks at them: Node's strict parser
 * takes most of them (it is never told to be lenient), these checks take what it lets pass (GW-02..GW-07). The answer is
 * one sentence and the end of the connection, for nothing after such a request can be trusted to begin where it seems to.
 */
import type { IncomingMessage } from 'node:http';
import { valuesOf } from './headers.ts';

/** Why a request is refused: an HTTP status and a sentence that repeats nothing of what was sent. */
export type Malformed = { readonly status: 400 | 405 | 408 | 413 | 431; readonly message: string };

/** Node drops headers after its own limit without a word, so the limit is here, with one. */
const mostHeaders = 1_000;

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The methods that are carried, as an `Allow` header names them. */
export const allowedMethods = [...methods].join(', ');

/** What is wrong with the head of a request, if anything. */
export function malformed(request: IncomingMessage): Malformed | undefined {
  if (request.rawHeaders.length > mostHeaders * 2) {
    return { status: 431, message: `The request has more than ${mostHeaders} headers.` };
  }
  return targetProblem(request.url ?? '') ?? headerProblem(request) ?? methodProblem(request.method ?? '');
}

function targetProblem(target: string): Malformed | undefined {
  if (target.startsWith('/') && !target.startsWith('//')) return undefined;
  return bad("The request target must be a path that starts with a single '/'.");
}

function headerProblem(request: IncomingMessage): Malformed | undefined {
  if (valuesOf(request, 'host').length > 1) return bad('The request has more than one Host header.');
  if (valuesOf(request, 'authorization').length > 1) return bad('The request has more than one Authorization header.');
  const codings = valuesOf(request, 'transfer-encoding');
  const lengths = valuesOf(request, 'content-length');
  if (codings.length > 0 && (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked')) {
    return bad("The only transfer coding that is taken is 'chunked'.");
  }
  // RFC 9112, section 6.1: a length beside a coding is an attempt at smuggling, and HTTP/1.0 has no codings.
  if (codings.length > 0 && (lengths.length > 0 || request.httpVersion !== '1.1')) {
    return bad('Transfer-Encoding is taken in HTTP/1.1 only, and never beside Content-Length.');
  }
  return lengths.length > 1 ? bad('The request has more than one Content-Length header.') : undefined;
}

function methodProblem(method: string): Malformed | undefined {
  if (methods.has(method)) return undefined;
  return { status: 405, message: `Only ${allowedMethods} are carried.` };
}

const bad = (message: string): Malformed => ({ status: 400, message });

/** What an error of Node's parser says to the client; nothing when the client itself is gone. */
export function parserProblem(code: string | undefined): Malformed | undefined {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, message: 'The request did not arrive in time.' };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, message: 'The headers are larger than 16 KB together.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, message: 'The chunk extensions are too large.' };
    default:
      return bad('The request is not well-formed HTTP/1.1.');
  }
}
