/**
 * One request carried to the control plane and its answer carried back, with undici's dispatch: raw target and raw header
 * lines, backpressure both ways, no total timeout (D5), and never a second try (D22). A client that goes cancels the request
 * behind; an answer that breaks off after its head breaks off for the client too, so that nothing cut short looks whole.
 * A request for another protocol is carried the same way; a 101 to it joins the two connections.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Refusal } from '@clustral/schemas/errors.ts';
import { announcesBody } from '@clustral/kernel/http-server.ts';
import { breakOff } from '@clustral/kernel/upgrade.ts';
import { endAfterReadingAway } from './answers.ts';
import { answerHeaders } from './headers.ts';
import { join } from './raw-streams.ts';
import { RequestBody } from './request-body.ts';

export type Carried = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client's connection when it asked for another protocol; it becomes bytes after a 101. */
  readonly switching: { readonly protocol: string; readonly socket: Socket } | undefined;
  /** All headers that go on, flat. */
  readonly headers: string[];
  /** Headers added to the answer unless it has them, flat. */
  readonly answerAdditions: readonly string[];
  /** Told when no head came: the answer is the caller's to write. */
  readonly failed: (refusal: Refusal, cause: Error) => void;
};

/** Carries one request. It returns at once; exactly one of an answer, an aborted connection and `failed` follows. */
export function carry(pool: Dispatcher, carried: Carried): void {
  const { request, switching } = carried;
  const body = announcesBody(request) ? new RequestBody(request) : null;
  const options = {
    path: request.url ?? '/',
    method: request.method ?? 'GET',
    headers: carried.headers,
    body,
    upgrade: switching?.protocol ?? null,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  pool.dispatch(options, new Exchange(carried, body));
}

class ClientGone extends Error {}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #carried: Carried;
  readonly #body: RequestBody | null;
  #controller: Dispatcher.DispatchController | undefined;
  #gone = false;
  #ended = false;

  constructor(carried: Carried, body: RequestBody | null) {
    this.#carried = carried;
    this.#body = body;
    const { response } = carried;
    response.on('close', () => {
      if (this.#ended) return;
      this.#gone = true;
      this.#controller?.abort(new ClientGone());
    });
    // A write that meets a connection which just went is told here as well; 'close' has dealt with it.
    response.on('error', nothing);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#gone) controller.abort(new ClientGone());
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    ...[{ upgrade = '' }, service]: [headers: IncomingHttpHeaders, connection: Duplex]
  ): void {
    this.#ended = true;
    const { response, switching } = this.#carried;
    if (switching === undefined || response.destroyed) return breakOff(service as Socket);
    response.writeHead(status, [...this.#headersOf(controller), 'connection', 'Upgrade', 'upgrade', upgrade]);
    response.flushHeaders();
    join(switching.socket, service as Socket);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    const { request, response } = this.#carried;
    if (response.destroyed) return;
    const headers = this.#headersOf(controller);
    if (!request.complete && announcesBody(request)) headers.push('connection', 'close');
    response.writeHead(status, headers);
    // A watch has no first byte for a long time, but its head must be seen at once. Heads of answers whose body came in
    // the same read leave with that body.
    process.nextTick(() => {
      if (!response.destroyed && !response.writableEnded) response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#carried;
    if (response.destroyed || response.write(chunk)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#ended = true;
    // What is left of an upload that was answered early is read away, not passed on.
    this.#body?.destroy();
    const { request, response } = this.#carried;
    if (!response.destroyed) endAfterReadingAway(request, response);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#ended = true;
    this.#body?.destroy();
    const { response } = this.#carried;
    if (response.headersSent || response.destroyed || this.#gone) response.destroy();
    else this.#carried.failed(refusalOfFailure(error, 'The control plane'), error);
  }

  #headersOf({ rawHeaders }: Dispatcher.DispatchController): string[] {
    return answerHeaders((rawHeaders ?? []) as readonly Buffer[], this.#carried.answerAdditions);
  }
}

const nothing = (): void => undefined;

/** What a failure to get an answer from behind is called. `service` begins the sentence. */
export function refusalOfFailure(error: unknown, service: string): Refusal {
  if (error instanceof Refusal) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  if (code === 'UND_ERR_INVALID_ARG')
    return new Refusal('BAD_REQUEST', 'The request has a header that cannot be carried.');
  const timedOut = /TIMEOUT|ETIMEDOUT/.test(code);
  if (timedOut && !code.includes('CONNECT')) {
    return new Refusal(
      'UPSTREAM_TIMEOUT',
      `${service} took too long to answer. Try again; the request may have been carried out.`,
    );
  }
  if (timedOut || /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(code)) {
    return new Refusal('UPSTREAM_UNREACHABLE', `${service} does not answer. Try again in a few seconds.`);
  }
  return new Refusal(
    'UPSTREAM_UNREACHABLE',
    `${service} closed the connection before it answered. The request may or may not have been carried out.`,
  );
}
