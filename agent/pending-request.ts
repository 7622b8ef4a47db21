/**
 * A request that cannot be sent yet: its connection is being opened, or the agent's token read. What is sent meanwhile is kept,
 * and its sender is told to stop after the first piece, so that nothing grows while it waits.
 */
import type { LaneFailure } from '@clustral/schemas/lane-codec.ts';
import type { UpstreamHandlers, UpstreamRequest } from './upstream.ts';

export class PendingRequest implements UpstreamRequest {
  readonly #handlers: UpstreamHandlers;
  readonly #onCancelled: () => void;
  #request: UpstreamRequest | undefined;
  #cancelled = false;
  #pieces: Uint8Array[] = [];
  #ended = false;

  /** `onCancelled` is called when nobody waits any more for what the request waits for. */
  constructor(handlers: UpstreamHandlers, onCancelled: () => void = () => undefined) {
    this.#handlers = handlers;
    this.#onCancelled = onCancelled;
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  /** The request is on its way. */
  begin(request: UpstreamRequest): void {
    this.#request = request;
    const pieces = this.#pieces;
    this.#pieces = [];
    const flows = pieces.map((piece) => request.write(piece)).every((more) => more);
    if (this.#ended) request.end();
    else if (pieces.length > 0 && flows) this.#handlers.drain();
  }

  /** It will never be. */
  refuse(failure: LaneFailure): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#pieces = [];
    this.#handlers.fail(failure);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#request) return this.#request.write(chunk);
    if (this.#cancelled) return true;
    this.#pieces.push(chunk);
    return false;
  }

  end(): void {
    if (this.#request) this.#request.end();
    else this.#ended = true;
  }

  resume(): void {
    this.#request?.resume();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#pieces = [];
    if (this.#request) this.#request.cancel();
    else this.#onCancelled();
  }
}
