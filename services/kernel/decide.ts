/**
 * Load, fold, decide, append: how every command of the product changes a stream. The decision is pure; it is taken on a
 * state that is known to be the stream's last when the append succeeds, because the append names the exact revision.
 * When somebody else was faster, what they wrote is folded in and the decision is taken anew, a few times at most.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import type { Fact, NewFact, Revision } from '@clustral/schemas/events/envelope.ts';
import { RevisionConflict, type EventStore, type LoadedStream } from './event-store-port.ts';

export type Decision<S, F extends Fact> = {
  readonly store: EventStore;
  readonly stream: string;
  /** The state of a stream without facts. */
  readonly initial: S;
  /** Folds one fact into the state and changes nothing it is given. Facts read back carry more than is asked for here. */
  readonly evolve: (state: S, fact: NewFact<F>) => S;
  /** The facts that follow from the command, none when there is nothing to do. Throws a `Refusal` to say no. */
  readonly decide: (state: S, now: Date) => readonly NewFact<F>[];
  readonly now?: () => Date;
  /** How often the decision is taken at most; 3 by default. */
  readonly tries?: number;
};

/** The state with the new facts folded in. `position` is that of the last new fact; undefined when none was written. */
export type Decided<S, F extends Fact> = {
  readonly state: S;
  readonly revision: Revision;
  readonly position: bigint | undefined;
  readonly facts: readonly NewFact<F>[];
};

/**
 * Throws what `decide` throws, `Refusal('STORE_UNAVAILABLE')` when the log does not answer, and `Refusal('CONFLICT')` when
 * the stream changed under every try.
 */
export async function decide<S, F extends Fact>(command: Decision<S, F>): Promise<Decided<S, F>> {
  const { store, stream, evolve, now = () => new Date(), tries = 3 } = command;
  let state = command.initial;
  let revision: Revision = 'none';
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const loaded: LoadedStream<F> = await store.load<F>(stream, revision === 'none' ? 0 : revision + 1);
    state = loaded.facts.reduce((folded, fact) => evolve(folded, fact), state);
    revision = loaded.revision;
    const facts = command.decide(state, now());
    if (facts.length === 0) return { state, revision, position: undefined, facts };
    try {
      const appended = await store.append(stream, revision, facts);
      return { state: facts.reduce((folded, fact) => evolve(folded, fact), state), ...appended, facts };
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
  throw new Refusal('CONFLICT', `${stream} was changed by others ${tries} times meanwhile. Read it and decide again.`);
}
