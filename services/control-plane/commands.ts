/**
 * Runs commands: load, fold, decide, append with the exact revision, and wait until the policy fold has it (D16, D18).
 * One command at a time per stream and per `exclusive` key, because a rule such as a unique name is decided on the
 * fold, which must have what the command before it wrote.
 *
 * The rule it lives by: an append whose answer was lost keeps its keys until it is known whether it took, so that
 * nobody decides on a log that may still change under them.
 */
import { LRUCache } from 'lru-cache';
import type { Fact, NewFact, Recorded, Revision } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { RevisionConflict, type Appended, type EventStore } from '@clustral/kernel/event-store-port.ts';
import { loadAggregate, type Aggregate, type Replay } from './aggregate.ts';
import { derivedUuid } from './derived-id.ts';
import { KeyedLocks } from './keyed-locks.ts';
import { appendUntilKnown } from './lost-answer.ts';
import { isPolicyStream } from './policy-facts.ts';
import type { PolicyQueries } from './policy.ts';
import type { Cause, Command, CommandResult, Commands } from './ports.ts';
import { keyUsedOtherwise, replayedForMs, UsedKeys } from './used-keys.ts';

const tries = 3;
const lockDeadlineMs = 10_000;
const foldDeadlineMs = 5_000;
/** While a command that is in doubt holds its keys, others are refused by their own deadlines. */
const foldPatienceMs = 600_000;
const rememberedAggregates = 2_000;

export type CommandsOptions = {
  readonly eventStore: Pick<EventStore, 'load' | 'append'>;
  readonly epoch: number;
  readonly policy: Pick<PolicyQueries, 'assertFresh' | 'reached' | 'isVoid' | 'onFact'>;
  readonly now: () => Date;
  readonly randomId: () => string;
  readonly signal: AbortSignal;
};

/** The one implementation of the port. */
export function createCommands(options: CommandsOptions): Commands {
  return new LogCommands(options);
}

type Unfinished = (work: Promise<unknown>) => void;

class LogCommands implements Commands {
  readonly #options: CommandsOptions;
  readonly #locks = new KeyedLocks();
  readonly #usedKeys = new UsedKeys();
  readonly #aggregates = new LRUCache<string, Aggregate<unknown>>({ max: rememberedAggregates });

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  async run<S, F extends Fact>(command: Command<S, F>): Promise<CommandResult<S>> {
    this.#options.policy.assertFresh();
    this.#usedKeys.refuseOther(command.cause);
    const keys = [...(command.exclusive === undefined ? [] : [`exclusive ${command.exclusive}`]), command.stream];
    const release = await this.#locks.acquire(keys, lockDeadlineMs);
    const unfinished: Promise<unknown>[] = [];
    try {
      const result = await this.#decide(command, (work) => unfinished.push(work));
      this.#usedKeys.note(command.cause);
      return result;
    } finally {
      if (unfinished.length === 0) release();
      else void Promise.allSettled(unfinished).then(release);
    }
  }

  async #decide<S, F extends Fact>(command: Command<S, F>, unfinished: Unfinished): Promise<CommandResult<S>> {
    const seed = command.cause.idempotency?.key ?? command.cause.$causationId ?? this.#options.randomId();
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const aggregate = await this.#load(command);
      this.#options.policy.assertFresh();
      const unchanged = { state: aggregate.state, revision: lastRevision(aggregate.revision) };
      if (this.#isReplay(command.cause, aggregate.replays)) return { ...unchanged, position: aggregate.position };
      const facts = this.#newFacts(command, {
        decided: command.decide(aggregate.state),
        seed,
        after: aggregate.revision,
      });
      if (facts.length === 0) return { ...unchanged, position: undefined };
      const written = await this.#write(command.stream, { expected: aggregate.revision, facts }, unfinished);
      if (written === 'conflict') continue;
      const { appended, recorded } = written;
      return { state: recorded.reduce(command.evolve, aggregate.state), ...appended };
    }
    throw new Refusal(
      'CONFLICT',
      `${command.stream} was changed by others ${tries} times meanwhile. Read it and decide again.`,
    );
  }

  async #load<S, F extends Fact>({ stream, initial, evolve }: Command<S, F>): Promise<Aggregate<S>> {
    const known = this.#aggregates.get(stream) as Aggregate<S> | undefined;
    const aggregate = await loadAggregate<S, F>(
      { eventStore: this.#options.eventStore, isVoid: (fact) => this.#options.policy.isVoid(fact) },
      { stream, evolve, known: known ?? { state: initial, revision: 'none', position: undefined, replays: [] } },
    );
    this.#aggregates.set(stream, aggregate);
    return aggregate;
  }

  /**
   * True when the command was done before under its Idempotency-Key (G2). Throws `IDEMPOTENCY_MISMATCH` for another
   * body.
   */
  #isReplay({ idempotency }: Cause, replays: readonly Replay[]): boolean {
    const since = this.#options.now().getTime() - replayedForMs;
    const earlier = replays.find(({ key, at }) => key === idempotency?.key && at > since);
    if (!earlier || !idempotency) return false;
    if (earlier.body === idempotency.body) return true;
    throw keyUsedOtherwise();
  }

  #newFacts<S, F extends Fact>(
    { stream, cause }: Command<S, F>,
    { decided, seed, after }: { decided: readonly F[]; seed: string; after: Revision },
  ): readonly NewFact<F>[] {
    const { epoch } = this.#options;
    return decided.map((fact, index) => ({
      ...fact,
      id: derivedUuid('fact', String(epoch), seed, stream, String(after), String(index)),
      metadata: { ...cause, schemaVersion: 1, epoch },
    }));
  }

  /** Appends and waits for the fold. The facts come back as the log recorded them. */
  async #write<F extends Fact>(
    stream: string,
    write: { readonly expected: Revision; readonly facts: readonly NewFact<F>[] },
    unfinished: Unfinished,
  ): Promise<{ readonly appended: Appended; readonly recorded: readonly Recorded<F>[] } | 'conflict'> {
    const { policy } = this.#options;
    const ids = new Set(write.facts.map(({ id }) => id));
    const taken: Recorded[] = [];
    const stopListening = policy.onFact((fact) => {
      if (ids.has(fact.id)) taken.push(fact);
    });
    try {
      const appended = await this.#append(stream, write, unfinished);
      if (appended === 'conflict') return appended;
      await this.#folded(stream, appended, unfinished);
      const isFolded = taken.length === write.facts.length;
      return {
        appended,
        recorded: isFolded ? (taken as Recorded<F>[]) : this.#asRecorded(stream, write.facts, appended),
      };
    } finally {
      stopListening();
    }
  }

  async #append(
    stream: string,
    write: { readonly expected: Revision; readonly facts: readonly NewFact[] },
    unfinished: Unfinished,
  ): Promise<Appended | 'conflict'> {
    const { eventStore, signal, policy } = this.#options;
    try {
      return await eventStore.append(stream, write.expected, write.facts);
    } catch (cause) {
      if (cause instanceof RevisionConflict) return 'conflict';
      if (cause instanceof Refusal && cause.code === 'STORE_UNAVAILABLE') {
        const known = appendUntilKnown({ eventStore, stream, signal, ...write });
        unfinished(known.then((appended) => appended && policy.reached(appended.position, foldPatienceMs)));
      }
      throw cause;
    }
  }

  /** Waits until the fold has it. Throws when another control plane had taken over before the fact got into the log. */
  async #folded(stream: string, { position }: Appended, unfinished: Unfinished): Promise<void> {
    const { policy, epoch } = this.#options;
    if (!isPolicyStream(stream)) return;
    await policy.reached(position, foldDeadlineMs).catch((refusal: unknown) => {
      unfinished(policy.reached(position, foldPatienceMs));
      throw refusal;
    });
    if (!policy.isVoid({ position, epoch })) return;
    throw new Refusal('STORE_UNAVAILABLE', 'Another control plane has taken over. Send the command again.');
  }

  /** What the fold does not follow is as good as read back: only the log's own instant is not known. */
  #asRecorded<F extends Fact>(
    stream: string,
    facts: readonly NewFact<F>[],
    { revision, position }: Appended,
  ): readonly Recorded<F>[] {
    const first = revision - facts.length + 1;
    const recordedAt = this.#options.now();
    return facts.map((fact, index) => ({ ...fact, stream, revision: first + index, position, recordedAt }));
  }
}

const lastRevision = (revision: Revision): number => (revision === 'none' ? -1 : revision);
