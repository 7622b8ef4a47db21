/**
 * Answers that the gateway writes itself, outside the router: on a plain `ServerResponse`, or on a bare socket when there is
 * no response to write to (a parser's error, an upgrade, CONNECT). They end the connection when it cannot be told where
 * the next request begins, and read away what the client still sends, so that it gets to see the answer (D4).
 */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Refusal } from '@clustral/schemas/errors.ts';
import { problemAnswer, textAnswer, type ErrorAnswer } from '@clustral/kernel/http-errors.ts';
import { allowedMethods, type Malformed } from './request-hygiene.ts';
import { isProxyTarget, pathOf } from './routes.ts';

/** How much of an unwanted body is read away, and for how long. */
const readAway = { bytes: 32 * 1024 * 1024, ms: 10_000 };

export type AnswerContext = { readonly docsBaseUrl: string; readonly correlationId: string };

/** A refusal in the shape of its path: plain text on the kubectl path, problem+json elsewhere. */
export function shapedAnswer(thrown: unknown, target: string, context: AnswerContext): ErrorAnswer {
  if (isProxyTarget(target)) return textAnswer(thrown, context);
  return problemAnswer(thrown, { ...context, instance: target.startsWith('/') ? pathOf(target) : '/' });
}

/** A refusal of a malformed request. HTTP knows more such statuses than our catalogue: those are told in plain text. */
export function malformedAnswer(problem: Malformed, target: string, context: AnswerContext): ErrorAnswer {
  if (problem.status === 405) {
    const answer = shapedAnswer(new Refusal('METHOD_NOT_ALLOWED', problem.message), target, context);
    return { ...answer, headers: { ...answer.headers, allow: allowedMethods } };
  }
  const refusal = new Refusal('BAD_REQUEST', problem.message);
  if (problem.status === 400) return shapedAnswer(refusal, target, context);
  return { ...textAnswer(refusal, context), status: problem.status };
}

/** Writes a whole answer. With a body still on its way, the connection ends after it, at the latest when the limits are reached. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: ErrorAnswer): void {
  if (response.destroyed || response.headersSent) return void response.destroy();
  const bodyComing = !request.complete;
  response.writeHead(answer.status, bodyComing ? { ...answer.headers, connection: 'close' } : answer.headers);
  if (request.method !== 'HEAD') response.write(answer.body);
  endAfterReadingAway(request, response);
}

/** The same, and the connection ends at once: nothing that follows on it is believed. */
export function sendAnswerAndClose(response: ServerResponse, answer: ErrorAnswer): void {
  response.writeHead(answer.status, { ...answer.headers, connection: 'close' });
  response.end(answer.body);
}

/**
 * Ends a response whose head and body are written. Node destroys a connection right after the last byte of an answer that
 * closes it; a client (or an nginx) in the middle of an upload would then see a reset and not the answer. So the end waits
 * until the client is done, within limits.
 */
export function endAfterReadingAway(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) return void response.end();
  let read = 0;
  const timer = setTimeout(finish, readAway.ms);
  function count(chunk: Buffer): void {
    read += chunk.length;
    if (read > readAway.bytes) finish();
  }
  function finish(): void {
    clearTimeout(timer);
    request.off('data', count).off('end', finish).off('close', finish);
    if (!response.destroyed) response.end();
  }
  request.on('data', count).once('end', finish).once('close', finish);
  request.resume();
}

/** Writes an answer on a bare socket and ends it; input that is still there is never looked at. */
export function answerOnSocket(socket: Duplex & { destroySoon?: () => void }, answer: ErrorAnswer): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  // Node took its own handlers off an upgraded socket; a reset by the peer must not end the process.
  socket.on('error', () => socket.destroy());
  const lines = Object.entries({ ...answer.headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.write(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('')}\r\n${answer.body}`);
  if (socket.destroySoon) socket.destroySoon();
  else socket.end();
}
