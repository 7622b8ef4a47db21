/**
 * A request that waits for a lane. Its caller holds the exchange already: what it sends meanwhile is kept, and it is told to
 * stop after the first piece, so that nothing grows while it waits.
 */
import type { Refusal } from '@clustral/schemas/errors.ts';
import type { LaneCall, LaneExchange, LaneHandlers } from '../ports.ts';

/** What waits, since when and until when (milliseconds of a clock that nobody sets). */
export type WaitingParts = {
  readonly call: LaneCall;
  readonly handlers: LaneHandlers;
  readonly openedAt: number;
  readonly waitUntil: number;
};

export class WaitingRequest implements LaneExchange {
  readonly parts: WaitingParts;
  readonly #leaveQueue: () => void;
  #lane: LaneExchange | undefined;
  #over = false;
  #pieces: Buffer[] = [];
  #ended = false;

  constructor(parts: WaitingParts, leaveQueue: () => void) {
    this.parts = parts;
    this.#leaveQueue = leaveQueue;
  }

  /** A lane took it. */
  begin(lane: LaneExchange): void {
    this.#lane = lane;
    const hadPieces = this.#pieces.length > 0;
    const flows = this.#pieces.map((piece) => lane.write(piece)).every((more) => more);
    this.#pieces = [];
    if (this.#ended) lane.end();
    else if (hadPieces && flows) this.parts.handlers.drain();
  }

  /** No lane will take it. */
  refuse(refusal: Refusal): void {
    this.#over = true;
    this.#pieces = [];
    this.parts.handlers.fail(refusal);
  }

  write(chunk: Buffer): boolean {
    if (this.#lane) return this.#lane.write(chunk);
    if (this.#over) return true;
    this.#pieces.push(chunk);
    return false;
  }

  end(): void {
    if (this.#lane) this.#lane.end();
    else this.#ended = true;
  }

  resume(): void {
    this.#lane?.resume();
  }

  cancel(): void {
    if (this.#lane) return this.#lane.cancel();
    this.#over = true;
    this.#pieces = [];
    this.#leaveQueue();
  }
}
