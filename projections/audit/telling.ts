/** What the audit says of one fact, before names of catalogue, actor and time are added; made by the `*-tellings.ts`. */
import type { FactType } from '@clustral/schemas/events/catalogue.ts';
import type { RecordedFact } from '../model.ts';
import type { Names } from './names.ts';

export type Telling = {
  readonly resourceType: string;
  readonly resourceId: string;
  readonly resourceName: string;
  /** Null when the fact is about no cluster. */
  readonly clusterId: string | null;
  /** One sentence, without a full stop. */
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Why it did not succeed, in a word or a sentence. */
  readonly error?: string;
  /** The access request that it is about, or that allowed it. */
  readonly accessRequestId?: string;
  /** True when it ended badly although its type does not say so. */
  readonly failed?: boolean;
};

/** The facts of these types: also of a member of the union that stands for several. */
export type FactOf<T extends FactType> = Matching<RecordedFact, T>;
type Matching<F extends RecordedFact, T> = F extends RecordedFact
  ? [Extract<F['type'], T>] extends [never]
    ? never
    : F
  : never;

/** Tells the facts of the given types. */
export type Tellings<T extends FactType> = { readonly [Type in T]: (fact: FactOf<Type>, names: Names) => Telling };
