/**
 * One request while a lane has it: how far it is in each direction, and until when it may be there. A plain request is over with
 * the end of its reply; one that left HTTP by a 101, when both directions have ended.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { RequestHead } from '@clustral/schemas/lane-codec.ts';
import type { LaneHandlers } from '../ports.ts';

/** What is to be carried, with what is left of its limits. */
export type Cargo = {
  readonly head: RequestHead;
  readonly handlers: LaneHandlers;
  readonly bodyless: boolean;
};

/** The agent ends a request itself when its time is over; this is for an agent that does not. */
const graceMs = 500;

export class CarriedRequest {
  readonly handlers: LaneHandlers;
  /** It asks to leave HTTP. */
  readonly upgrade: boolean;
  readonly #headUntil: number;
  readonly #until: number;
  /** The reply's head has come. */
  headSeen = false;
  /** It left HTTP. */
  switched = false;
  /** The request's end has been sent. */
  sent: boolean;
  /** The reply's end has come. */
  answered = false;

  /** `now` is milliseconds of a clock that nobody sets. */
  constructor({ head, handlers, bodyless }: Cargo, now: number) {
    this.handlers = handlers;
    this.upgrade = head.upgrade;
    this.sent = bodyless;
    this.#headUntil = now + head.headTimeoutMs + graceMs;
    this.#until = head.lifetimeMs > 0 ? now + head.lifetimeMs + graceMs : Infinity;
  }

  /** True when there is nothing left to come from the agent, or nothing that anybody wants. */
  get isOver(): boolean {
    return this.answered && (this.sent || !this.switched);
  }

  /** The refusal with which it ends when its time is over. */
  overdue(now: number): Refusal | undefined {
    if (now >= this.#until) return new Refusal('TUNNEL_ERROR', 'The access on which this request rested has ended.');
    if (this.headSeen || now < this.#headUntil) return undefined;
    return new Refusal('TUNNEL_TIMEOUT', 'The agent did not bring an answer of the cluster in time.');
  }
}
