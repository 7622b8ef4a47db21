/**
 * The narrow port to whatever holds the read models: documents in named collections, a filter dialect that is a small
 * subset of MongoDB's, and one commit for documents and checkpoint. It knows no cluster and no role, offers no join,
 * no update by expression and no text search: what an adapter cannot do everywhere, nobody may come to need.
 *
 * Rule: a collection says which fields are filtered or sorted by; any other field in a filter is a bug and throws.
 * In documents an instant is whole milliseconds since the epoch and a log position a number.
 */

export type Scalar = string | number | boolean | null;

/** A document: JSON with an `_id` that is unique in its collection. */
export type Document = { readonly _id: string };

/**
 * How a field is indexed. `texts` is an array of short texts, each found by equality or by prefix. Fields that a query
 * sorts by must never be null.
 */
export type FieldKind = 'text' | 'integer' | 'boolean' | 'texts';

/** A collection of documents of one shape, as `collectionOf` makes it. */
export type Collection<D extends Document = Document> = {
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
  readonly indexes: readonly (readonly string[])[];
  readonly facets?: readonly string[];
  readonly indexedLast?: boolean;
  /** Never set: it only carries the type of the documents. */
  readonly documents?: D;
};

/** Defines a collection. `_id` is a unique text field of every one and need not be named. */
export function collectionOf<D extends Document>(definition: {
  readonly name: string;
  readonly fields: { readonly [F in Extract<keyof D, string>]?: FieldKind };
  /** Compound indexes over fields other than `texts`, which have one of their own. */
  readonly indexes: readonly (readonly Extract<keyof D, string>[])[];
  /** Fields of kind `text` that are asked for together with others, each met by many documents. Needs a field of `texts`. */
  readonly facets?: readonly Extract<keyof D, string>[];
  /** True for one that grows with the log: until it is published it is only asked for by id, so its indexes may wait. */
  readonly indexedLast?: boolean;
}): Collection<D> {
  return definition as Collection<D>;
}

/** What one field must be. `$contains` and `$prefix` are for `texts`: one of the array's items is it, or begins so. */
export type Condition =
  | { readonly $eq: Scalar }
  | { readonly $ne: Scalar }
  | { readonly $in: readonly (string | number)[] }
  | {
      readonly $gt?: number | string;
      readonly $gte?: number | string;
      readonly $lt?: number | string;
      readonly $lte?: number | string;
    }
  | { readonly $contains: string }
  | { readonly $prefix: string };

/** All entries must hold. `$and` and `$or` take filters, every other key is a field with its condition. */
export type Filter = { readonly [field: string]: Condition | readonly Filter[] };

/** One sort for all its fields: the last must make the order total, so that a cursor never skips or repeats. */
export type Sort = { readonly fields: readonly string[]; readonly direction: 'ascending' | 'descending' };

export type Find = {
  readonly filter: Filter;
  readonly sort: Sort;
  readonly limit: number;
  /** Values of the sort fields of the last document seen: what comes after it. */
  readonly after?: readonly (string | number)[];
  readonly skip?: number;
};

/** What queries may ask. */
export interface ReadStoreReader {
  get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined>;
  find<D extends Document>(collection: Collection<D>, find: Find): Promise<readonly D[]>;
  /** How many documents match, counted no further than `cap + 1`. */
  count(collection: Collection, filter: Filter, cap: number): Promise<number>;
  /** How far the projection has come; undefined before its first commit. */
  position(projection: string): Promise<bigint | undefined>;
}

/** A change to one document. */
export type Write =
  | { readonly kind: 'put'; readonly collection: Collection; readonly document: Document }
  | { readonly kind: 'delete'; readonly collection: Collection; readonly id: string };

/** One step of a projection: everything in it is stored, or nothing of it. */
export type Commit = { readonly projection: string; readonly position: bigint; readonly writes: readonly Write[] };

/** What the projector needs besides. There is one writer. */
export interface ReadStore extends ReadStoreReader {
  /**
   * Stores writes and position together. A position below the stored one throws: somebody else writes here too. Throws
   * `ReadStoreDamaged` when what is stored cannot be read any more.
   */
  commit(commit: Commit): Promise<void>;
  /** Makes what was built the one that readers see; nothing when it is already. */
  publish(): Promise<void>;
  /** Begins anew, beside what readers see, which they go on seeing until `publish`. */
  startOver(): Promise<void>;
  /** True when somebody else has made what they built the one that readers see: what is written here is seen by nobody. */
  isReplaced(): Promise<boolean>;
  /** Opens what readers see now. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** The store did not do what it was asked: full disk, file gone. Nothing was changed by the call. */
export class ReadStoreFailed extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ReadStoreFailed';
  }
}

/** The stored documents cannot be read any more. They are only a copy: start over and apply the log again. */
export class ReadStoreDamaged extends ReadStoreFailed {
  constructor(cause: unknown) {
    super('the stored read models are damaged', cause);
    this.name = 'ReadStoreDamaged';
  }
}
