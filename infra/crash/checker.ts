/**
 * Decides whether the promises G1, G2 and G3 held, from the history that the writers kept and from the log. Pure: it asks
 * nobody. It shares no code with what it judges; even which facts are void (D18) it works out for itself.
 */
import { createHash } from 'node:crypto';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { isAmbiguous, isDone, isFinal, type Answer, type CommandRecord, type ExpectedFact } from './history.ts';
import { streamViolations } from './streams.ts';
import type { Promised, Violation } from './violation.ts';

/** Digests of facts as they were read earlier, by position. */
export type Remembered = ReadonlyMap<bigint, string>;

export type Evidence = {
  readonly commands: readonly CommandRecord[];
  /** The whole log in its order. */
  readonly log: readonly Recorded[];
  readonly remembered: Remembered;
};

/** An answer later than this is a hang: above the sum of the control plane's own deadlines. */
const hangMs = 30_000;

/** All that is wrong. */
export function violationsOf({ commands, log, remembered }: Evidence): readonly Violation[] {
  const { voidPositions, violations } = streamViolations(log);
  const byKey = Map.groupBy(
    log.filter(({ position, metadata }) => metadata.idempotency !== undefined && !voidPositions.has(position)),
    ({ metadata }) => metadata.idempotency?.key ?? '',
  );
  return [
    ...violations,
    ...changedFacts(remembered, log),
    ...commands.flatMap((command) => commandViolations(command, byKey.get(command.factKey) ?? [])),
    ...strangers(byKey, commands),
  ];
}

/** What to compare the next reading with. */
export function remember(log: readonly Recorded[]): Remembered {
  return new Map(log.map((fact) => [fact.position, digestOf(fact)]));
}

/** How many attempts left their facts although their sender was not told so (ES-02, F-21): each had to be asked again. */
export function lostAcknowledgements(commands: readonly CommandRecord[], log: readonly Recorded[]): number {
  const applied = new Set(log.map(({ metadata }) => metadata.$correlationId));
  const attempts = commands.flatMap((command) => command.attempts);
  return attempts.filter((attempt) => isAmbiguous(attempt) && applied.has(attempt.correlationId)).length;
}

function changedFacts(remembered: Remembered, log: readonly Recorded[]): readonly Violation[] {
  const now = new Map(log.map((fact) => [fact.position, fact]));
  return [...remembered].flatMap(([position, digest]): readonly Violation[] => {
    const fact = now.get(position);
    if (fact === undefined)
      return [{ promise: 'G3', what: `the fact at position ${position} was read before and is gone` }];
    if (digestOf(fact) === digest) return [];
    return [{ promise: 'G3', what: `the fact at position ${position} (${placeOf(fact)}) is not what it was` }];
  });
}

function digestOf({ id, type, data, metadata, stream, revision, recordedAt }: Recorded): string {
  const text = JSON.stringify([id, type, data, metadata, stream, revision, recordedAt.getTime()]);
  return createHash('sha256').update(text).digest('base64url');
}

function commandViolations(command: CommandRecord, facts: readonly Recorded[]): readonly Violation[] {
  const answers = command.attempts.flatMap(({ answer }) => answer ?? []);
  const done = answers.filter(isDone);
  const say = (promise: Promised, what: string): Violation => ({ promise, what: `${nameOf(command)}: ${what}` });
  return [
    ...amountViolations(command, { facts, done, final: answers.filter(isFinal) }).map(([promise, what]) =>
      say(promise, what),
    ),
    ...(facts.length === 0 ? [] : contentFaults(command.expected, facts).map((what) => say('G2', what))),
    ...answerFaults(command, answers).map((what) => say('G2', what)),
    ...done.flatMap((answer) => positionFaults(answer, facts)).map((what) => say('G1', what)),
    ...badAttempts(command).map((what) => say('F-08', what)),
  ];
}

type Counted = {
  readonly facts: readonly Recorded[];
  readonly done: readonly Answer[];
  readonly final: readonly Answer[];
};

function amountViolations(
  { expected }: CommandRecord,
  { facts, done, final }: Counted,
): readonly (readonly [Promised, string])[] {
  const [has, wants] = [facts.length, expected.length];
  if (has > wants) return [['G2', `left ${has} facts instead of ${wants}: ${facts.map(placeOf).join(', ')}`]];
  if (done.length > 0 && has < wants)
    return [
      ['G1', `was acknowledged and ${wants - has} of ${wants} facts are lost: ${expected.map(wordsOf).join(', ')}`],
    ];
  if (has > 0 && has < wants) return [['G2', `left ${has} of ${wants} facts: it is applied in part`]];
  const [refusal] = final;
  if (done.length === 0 && refusal && has > 0)
    return [
      ['G2', `was refused with ${refusal.status} ${refusal.code} and is applied: ${facts.map(placeOf).join(', ')}`],
    ];
  return [];
}

function contentFaults(expected: readonly ExpectedFact[], facts: readonly Recorded[]): readonly string[] {
  const [first] = facts;
  return facts.flatMap((fact, index): readonly string[] => {
    const wanted = expected[index];
    if (wanted === undefined) return [];
    if (fact.type !== wanted.type) return [`left ${fact.type} where ${wanted.type} was due`];
    if (fact.stream !== first?.stream || fact.revision !== first.revision + index)
      return [`its facts are not side by side: ${facts.map(placeOf).join(', ')}`];
    const data = fact.data as Readonly<Record<string, unknown>>;
    return Object.entries(wanted.data)
      .filter(([name, value]) => JSON.stringify(data[name]) !== JSON.stringify(value))
      .map(
        ([name, value]) =>
          `${placeOf(fact)} says ${name} = ${JSON.stringify(data[name])}, sent was ${JSON.stringify(value)}`,
      );
  });
}

/** Once done, always done, and with the same words. */
function answerFaults({ isShared, allowedRefusals }: CommandRecord, answers: readonly Answer[]): readonly string[] {
  const final = answers.filter(isFinal);
  const done = final.filter(isDone);
  const refused = final.filter((answer) => !isDone(answer));
  const texts = new Set(done.map(({ comparable, status }) => `${status} ${comparable}`));
  return [
    ...(texts.size > 1 && !isShared ? [`was answered differently when repeated: ${[...texts].join(' / ')}`] : []),
    ...(done.length > 0 ? refused : refused.filter(({ code }) => !allowedRefusals.includes(code ?? ''))).map(
      ({ status, code, comparable }) =>
        `was refused with ${status} ${code}, ${done.length > 0 ? 'although it is done' : 'which the history does not allow'}: ${comparable}`,
    ),
  ];
}

function positionFaults({ position }: Answer, facts: readonly Recorded[]): readonly string[] {
  const last = facts.at(-1);
  if (last === undefined) return [];
  if (position === undefined) return ['its answer does not say where its facts are'];
  return position < last.position ? [`its answer says position ${position}, its last fact is at ${last.position}`] : [];
}

function badAttempts({ attempts }: CommandRecord): readonly string[] {
  return attempts.flatMap(({ startedAt, endedAt, answer }) => [
    ...(endedAt - startedAt > hangMs ? [`hung for ${Math.round(endedAt - startedAt)} ms`] : []),
    ...(answer !== undefined && answer.status >= 500 && answer.status !== 503
      ? [`was answered with ${answer.status} ${answer.code}: ${answer.comparable}`]
      : []),
  ]);
}

/** Facts under a key that nobody sent. */
function strangers(
  byKey: ReadonlyMap<string, readonly Recorded[]>,
  commands: readonly CommandRecord[],
): readonly Violation[] {
  const sent = new Set(commands.map(({ factKey }) => factKey));
  return [...byKey]
    .filter(([key]) => !sent.has(key))
    .map(([, facts]) => ({ promise: 'G2', what: `nobody sent the command of ${facts.map(placeOf).join(', ')}` }));
}

const wordsOf = ({ type, data }: ExpectedFact): string => `${type} ${JSON.stringify(data)}`;
const placeOf = ({ stream, revision, type }: Recorded): string => `${type} ${stream}@${revision}`;
const nameOf = ({ method, key, attempts }: CommandRecord): string => `${method} ${key} (sent ${attempts.length} times)`;
