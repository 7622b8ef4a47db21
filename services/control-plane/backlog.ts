/**
 * Whom the reactor has to look at, so that a credential issued to one person does not make it look at everybody. It
 * forgets a subject once it was looked at. The rule it lives by: after anything that may have ended something of anybody,
 * and after every failure, it is everybody.
 */
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { endedUnsaid, endedUnsaidOf, type Ended, type EndingsView, type Given } from './endings.ts';
import type { PolicyFact } from './policy-facts.ts';

/** Facts that may have ended something of anybody. */
const endsMuch: ReadonlySet<string> = new Set(['role.deleted', 'cluster.deleted', 'user.disabled']);
/** Facts by which a request or grant is open, perhaps while its ground was being taken away. */
const opens: ReadonlySet<string> = new Set(['access_request.created', 'access_request.approved']);
const mostGiven = 1_000;

export class Backlog {
  // An earlier process may have left something unsaid.
  #everybody = true;
  #given: Given[] = [];

  /** Takes note of a fact. True when there is something to look at because of it. */
  note(fact: Recorded): boolean {
    if (endsMuch.has(fact.type)) this.all();
    else if (isGiving(fact)) this.#given.push(givenBy(fact));
    else return opens.has(fact.type);
    if (this.#given.length > mostGiven) this.all();
    return true;
  }

  /** Everybody has to be looked at. */
  all(): void {
    this.#everybody = true;
    this.#given = [];
  }

  /** What has ended and is not said, of those who have to be looked at and of all that is open. */
  take(view: EndingsView, now: Date): readonly Ended[] {
    const ended = this.#everybody ? endedUnsaid(view, now) : endedUnsaidOf(view, this.#given, now);
    this.#everybody = false;
    this.#given = [];
    return ended;
  }
}

type Giving = Extract<PolicyFact, { type: 'user.role_assigned' | 'credential.issued' }>;

const isGiving = (fact: { readonly type: string; readonly data: object }): fact is Giving =>
  fact.type === 'user.role_assigned' || fact.type === 'credential.issued';

// One that could not be read may name nobody: nobody is then found.
const givenBy = ({ type, data }: Giving): Given =>
  type === 'credential.issued' ? { ...data, of: 'credential' } : { ...data, of: 'access' };
