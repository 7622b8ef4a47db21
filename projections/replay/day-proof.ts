/**
 * Holds the records of closed days against the digests that closed them (D26), while the log is read once from its beginning.
 * Records of a day that was said to be deleted may be there, gone, or half scavenged; of every other closed day each must be
 * there and as it was, and none more.
 */
import type { AnyFact } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { proxyDaysStream, proxyStream, type DayFact } from '@clustral/schemas/events/proxy.ts';
import { DayDigest, isSameSummary, type DaySummary } from '../day-digest.ts';

export type DayProblem = {
  /** Of the day's records. */
  readonly stream: string;
  readonly kind: 'missing' | 'changed' | 'added';
};

export type DayReport = {
  readonly closed: number;
  /** Closed and as they were. */
  readonly proven: number;
  /** Of these the digest is what is left. */
  readonly deleted: number;
  readonly problems: readonly DayProblem[];
};

type Day = { readonly digest: DayDigest; closed: DaySummary | undefined; addedLater: boolean; deleted: boolean };

const dayStream = /^proxy-.+-\d{8}$/;

export class DayProof {
  readonly #days = new Map<string, Day>();

  /** Takes the log's next fact. */
  take(fact: Recorded): void {
    if (dayStream.test(fact.stream)) this.#add(this.#day(fact.stream), fact);
    else if (isDayFact(fact)) this.#learn(this.#day(proxyStream(fact.data.clusterId, fact.data.day)), fact);
  }

  report(): DayReport {
    const closed = [...this.#days].filter(([, day]) => day.closed !== undefined);
    const verdicts = closed.map(([stream, day]) => ({ stream, kind: verdictOn(day) }));
    return {
      closed: closed.length,
      proven: verdicts.filter(({ kind }) => kind === 'proven').length,
      deleted: verdicts.filter(({ kind }) => kind === 'deleted').length,
      problems: verdicts.flatMap(({ stream, kind }) =>
        kind === 'proven' || kind === 'deleted' ? [] : [{ stream, kind }],
      ),
    };
  }

  #add(day: Day, fact: Recorded): void {
    day.addedLater ||= day.closed !== undefined;
    day.digest.add(fact);
  }

  #learn(day: Day, { type, data }: Recorded<DayFact>): void {
    if (type === 'proxy.day_deleted') day.deleted = true;
    else day.closed ??= data;
  }

  #day(stream: string): Day {
    const known = this.#days.get(stream);
    if (known) return known;
    const made: Day = { digest: new DayDigest(), closed: undefined, addedLater: false, deleted: false };
    this.#days.set(stream, made);
    return made;
  }
}

function verdictOn({ digest, closed, addedLater, deleted }: Day): DayProblem['kind'] | 'proven' | 'deleted' {
  if (deleted) return 'deleted';
  if (closed === undefined || digest.count < closed.count) return 'missing';
  if (addedLater) return 'added';
  return isSameSummary(digest.summary, closed) ? 'proven' : 'changed';
}

// Only there is it kept for ever. A record of an early log on the day's own stream proves nothing and is one of its records.
const isDayFact = (fact: Recorded): fact is Recorded<AnyFact & DayFact> =>
  (fact.type === 'proxy.day_closed' || fact.type === 'proxy.day_deleted') &&
  fact.stream === proxyDaysStream((fact as Recorded<AnyFact & DayFact>).data.clusterId);
