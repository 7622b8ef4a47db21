/**
 * Applies facts to the read models, in order and each once, and remembers what must be remembered between them: position,
 * lease, identity of the log. A fact is taken by all models or by none, so a fact that cannot be taken leaves no trace.
 */
import { policyPrefixes } from '@clustral/schemas/events/catalogue.ts';
import { decodeFact } from '@clustral/schemas/events/decode.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { EpochLedger } from '@clustral/schemas/events/lease.ts';
import { Batch } from './batch.ts';
import type { Op, ReadModel } from './model.ts';
import { projectionName, projectorCollection, stateId, type ProjectorState } from './projector-state.ts';
import { ReadStoreFailed, type ReadStore, type Write } from './read-store.ts';

const initial: ProjectorState = { _id: stateId, epoch: 0, last: null, halted: null };

/** A fact that cannot be applied: of an unknown type, damaged, or one that a read model cannot cope with. */
export class PoisonFact extends Error {
  readonly fact: Recorded;
  constructor(fact: Recorded, cause: unknown) {
    super(`the fact at position ${fact.position} cannot be applied: ${(cause as Error).message}`, { cause });
    this.name = 'PoisonFact';
    this.fact = fact;
  }
}

/** Continues from what is stored. */
export async function openFold(store: ReadStore, models: readonly ReadModel[]): Promise<Fold> {
  const state = (await store.get(projectorCollection, stateId)) ?? initial;
  return new Fold({ store, models, state, position: await store.position(projectionName) });
}

export class Fold {
  readonly #store: ReadStore;
  readonly #models: readonly ReadModel[];
  readonly #ledger = new EpochLedger();
  #stored: ProjectorState;
  #state: ProjectorState;
  #committed: bigint | undefined;
  #position: bigint | undefined;
  #batch: Batch;

  constructor(begin: {
    readonly store: ReadStore;
    readonly models: readonly ReadModel[];
    readonly state: ProjectorState;
    readonly position: bigint | undefined;
  }) {
    this.#store = begin.store;
    this.#models = begin.models;
    this.#ledger.epoch = begin.state.epoch;
    this.#stored = begin.state;
    // Whatever stopped it before may have been repaired; if not, the same fact stops it again.
    this.#state = { ...begin.state, halted: null };
    this.#committed = begin.position;
    this.#position = begin.position;
    this.#batch = new Batch(begin.store);
  }

  /** Position of the last fact or checkpoint that is stored. */
  get committed(): bigint | undefined {
    return this.#committed;
  }

  /** Position of the last fact or checkpoint that was taken, stored or not. */
  get position(): bigint | undefined {
    return this.#position;
  }

  /** The last policy fact taken. */
  get last(): ProjectorState['last'] {
    return this.#state.last;
  }

  /** Applies one fact; one at or below the position was applied before. Throws `PoisonFact`, and then nothing was applied. */
  async take(fact: Recorded): Promise<void> {
    if (this.#position !== undefined && fact.position <= this.#position) return;
    const ops = await this.#opsOf(fact);
    for (const op of ops) await this.#batch.apply(op);
    this.#position = fact.position;
    const { stream, revision, id } = fact;
    const last = isPolicy(stream) ? { stream, revision, id } : this.#state.last;
    this.#state = { ...this.#state, epoch: this.#ledger.epoch, last };
  }

  /** Facts of other streams were passed. */
  pass(position: bigint): void {
    if (this.#position === undefined || position > this.#position) this.#position = position;
  }

  /** Stores what was taken since the last commit, with the position. */
  async commit(): Promise<void> {
    const writes = [...this.#batch.writes(), ...this.#stateWrites()];
    if (this.#position === undefined || (writes.length === 0 && this.#position === this.#committed)) return;
    await this.#store.commit({ projection: projectionName, position: this.#position, writes });
    this.#committed = this.#position;
    this.#stored = this.#state;
    this.#batch = new Batch(this.#store);
  }

  /** Stores writes that follow from no fact, at the same position. */
  async commitBeside(writes: readonly Write[]): Promise<void> {
    if (this.#committed === undefined) return;
    await this.#store.commit({ projection: projectionName, position: this.#committed, writes });
  }

  /** Stores what was taken, and why it ends there. */
  async halt(reason: string): Promise<void> {
    this.#state = { ...this.#state, halted: reason };
    // A log whose very first fact is poison has no position to store the reason at; positions begin above zero or at it.
    this.#position ??= 0n;
    await this.commit();
  }

  async #opsOf(recorded: Recorded): Promise<readonly Op[]> {
    const before = this.#ledger.epoch;
    try {
      const fact = decodeFact(recorded);
      const isVoid = this.#ledger.isVoid(fact);
      const ops: Op[] = [];
      for (const model of this.#models) ops.push(...(await model.apply({ fact, isVoid }, this.#batch)));
      return ops;
    } catch (error) {
      if (error instanceof ReadStoreFailed) throw error;
      this.#ledger.epoch = before;
      throw new PoisonFact(recorded, error);
    }
  }

  #stateWrites(): readonly Write[] {
    const { epoch, last, halted } = this.#stored;
    const state = this.#state;
    if (state.epoch === epoch && state.last === last && state.halted === halted) return [];
    return [{ kind: 'put', collection: projectorCollection, document: state }];
  }
}

const isPolicy = (stream: string): boolean => policyPrefixes.some((prefix) => stream.startsWith(prefix));
