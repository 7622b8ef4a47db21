/** Requests through a tunnel, for tests: what a caller of `Agents` is told, collected. */
import { randomUUID } from 'node:crypto';
import type { Refusal } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { Agents, LaneCall, LaneExchange, LaneHandlers } from '../../ports.ts';

/** A bodyless GET of the path; anything can be said otherwise. */
export function callOf(clusterId: ClusterId, said: Partial<LaneCall> = {}): LaneCall {
  return {
    clusterId,
    method: 'GET',
    target: '/api/v1/pods',
    headers: ['accept', 'application/json'],
    impersonateUser: 'alice@corp.com',
    impersonateGroups: ['viewers'],
    requestId: randomUUID(),
    headTimeoutMs: 10_000,
    lifetimeMs: 3_600_000,
    notAfter: new Date(Date.now() + 3_600_000),
    upgrade: false,
    bodyless: true,
    ...said,
  };
}

/** What came of a request, as it comes. */
export class Carried implements LaneHandlers {
  readonly exchange: LaneExchange;
  status: number | undefined;
  headers: readonly string[] = [];
  readonly chunks: Buffer[] = [];
  bytes = 0;
  refusal: Refusal | undefined;
  isDone = false;
  drains = 0;
  /** What `data` answers. */
  wantsMore = true;
  readonly #over = Promise.withResolvers<this>();
  readonly #begun = Promise.withResolvers<this>();

  constructor(agents: Pick<Agents, 'open'>, call: LaneCall) {
    this.exchange = agents.open(call, this);
  }

  /** Resolves with `end` or `fail`. */
  get over(): Promise<this> {
    return this.#over.promise;
  }
  /** Resolves with the head, or with what came instead of one. */
  get begun(): Promise<this> {
    return this.#begun.promise;
  }
  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }
  /** The status, or the code it was refused with. */
  get result(): number | string | undefined {
    return this.refusal?.code ?? (this.isDone ? this.status : undefined);
  }

  head(status: number, headers: readonly string[]): void {
    if (this.status !== undefined) throw new Error('a second head');
    this.status = status;
    this.headers = headers;
    this.#begun.resolve(this);
  }
  data(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    this.chunks.push(chunk);
    return this.wantsMore;
  }
  end(): void {
    this.isDone = true;
    this.#over.resolve(this);
  }
  fail(refusal: Refusal): void {
    if (this.isDone) throw new Error('failed after its end');
    this.refusal = refusal;
    this.#begun.resolve(this);
    this.#over.resolve(this);
  }
  drain(): void {
    this.drains += 1;
  }
}

/** Carries a request to its end. */
export const carry = (agents: Pick<Agents, 'open'>, call: LaneCall): Promise<Carried> => new Carried(agents, call).over;
