/**
 * What a read model is: collections, and a pure `apply` that turns one fact into changes of documents. `apply` sees the
 * documents as the facts before this one left them and nothing else: no clock, no randomness, no log. Everything it needs to
 * know about time is in the fact.
 */
import type { AnyFact } from '@clustral/schemas/events/catalogue.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Collection, Document, Scalar } from './read-store.ts';

/** Any fact of the product as read back from the log. */
export type RecordedFact = Recorded<AnyFact>;

/** A fact, and whether it is void because its writer had already lost the lease (D18). */
export type Seen = { readonly fact: RecordedFact; readonly isVoid: boolean };

/** A change of one document. A patch of a document that does not exist changes nothing. */
export type Op =
  | { readonly kind: 'put'; readonly collection: Collection; readonly document: Document }
  | { readonly kind: 'patch'; readonly collection: Collection; readonly id: string; readonly set: object }
  | { readonly kind: 'delete'; readonly collection: Collection; readonly id: string };

/** The documents as the facts before the present one left them. */
export interface Lookup {
  get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined>;
  /** All documents whose fields have exactly these values, in no order. */
  where<D extends Document>(collection: Collection<D>, equals: Readonly<Record<string, Scalar>>): Promise<readonly D[]>;
}

/** A read model. Raise `version` when documents, indexes or `apply` change: it is then built anew from the log. */
export type ReadModel = {
  readonly name: string;
  readonly version: number;
  readonly collections: readonly Collection[];
  /** Changes that follow from the fact; none when it is not of this model, or was taken already. */
  readonly apply: (seen: Seen, lookup: Lookup) => Promise<readonly Op[]> | readonly Op[];
};

/** A position as documents carry it. Log positions stay below 2^53 for longer than any log will live. */
export const positionOf = (fact: RecordedFact): number => Number(fact.position);

/** Milliseconds since the epoch at which the log took the fact. */
export const recordedAt = (fact: RecordedFact): number => fact.recordedAt.getTime();

/** Milliseconds of an ISO instant in a fact. */
export const instant = (iso: string): number => Date.parse(iso);

export const put = <D extends Document>(collection: Collection<D>, document: D): Op => ({
  kind: 'put',
  collection,
  document,
});

export const patch = <D extends Document>(collection: Collection<D>, id: string, set: Partial<D>): Op => ({
  kind: 'patch',
  collection,
  id,
  set,
});
