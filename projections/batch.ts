/**
 * The documents as the facts of one batch leave them, over what is stored: so that a fact sees what the one before it
 * changed, and a document that ten facts touch is written once. Its size is bounded by the batch.
 */
import type { Lookup, Op } from './model.ts';
import type { Collection, Document, ReadStoreReader, Scalar, Write } from './read-store.ts';

type Entry = { readonly collection: Collection; document: Document | undefined; changed: boolean };

const pageSize = 1_000;

export class Batch implements Lookup {
  readonly #store: ReadStoreReader;
  readonly #entries = new Map<string, Map<string, Entry>>();

  constructor(store: ReadStoreReader) {
    this.#store = store;
  }

  async get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined> {
    const known = this.#of(collection).get(id);
    if (known) return known.document as D | undefined;
    const document = await this.#store.get(collection, id);
    this.#of(collection).set(id, { collection, document, changed: false });
    return document;
  }

  async where<D extends Document>(
    collection: Collection<D>,
    equals: Readonly<Record<string, Scalar>>,
  ): Promise<readonly D[]> {
    const entries = this.#of(collection);
    for (const document of await this.#stored(collection, equals)) {
      if (!entries.has(document._id)) entries.set(document._id, { collection, document, changed: false });
    }
    return [...entries.values()]
      .map(({ document }) => document)
      .filter((document) => document !== undefined && fits(document, equals)) as D[];
  }

  /** Takes one change. */
  async apply(op: Op): Promise<void> {
    const entries = this.#of(op.collection);
    switch (op.kind) {
      case 'put':
        entries.set(op.document._id, { collection: op.collection, document: op.document, changed: true });
        return;
      case 'delete':
        entries.set(op.id, { collection: op.collection, document: undefined, changed: true });
        return;
      case 'patch': {
        const document = await this.get(op.collection, op.id);
        if (!document) return;
        entries.set(op.id, { collection: op.collection, document: { ...document, ...op.set }, changed: true });
        return;
      }
      default:
        op satisfies never;
    }
  }

  /** What has to be written, each document once. */
  writes(): readonly Write[] {
    return [...this.#entries.values()].flatMap((entries) =>
      [...entries].flatMap(([id, { collection, document, changed }]): readonly Write[] => {
        if (!changed) return [];
        return document ? [{ kind: 'put', collection, document }] : [{ kind: 'delete', collection, id }];
      }),
    );
  }

  #of(collection: Collection): Map<string, Entry> {
    const known = this.#entries.get(collection.name);
    if (known) return known;
    const made = new Map<string, Entry>();
    this.#entries.set(collection.name, made);
    return made;
  }

  async #stored<D extends Document>(
    collection: Collection<D>,
    equals: Readonly<Record<string, Scalar>>,
  ): Promise<readonly D[]> {
    const filter = Object.fromEntries(Object.entries(equals).map(([field, value]) => [field, { $eq: value }]));
    const found: D[] = [];
    for (let page: readonly D[] | undefined; page === undefined || page.length === pageSize;) {
      const last = found.at(-1);
      page = await this.#store.find(collection, {
        filter,
        sort: { fields: ['_id'], direction: 'ascending' },
        limit: pageSize,
        ...(last === undefined ? {} : { after: [last._id] }),
      });
      found.push(...page);
    }
    return found;
  }
}

function fits(document: Document, equals: Readonly<Record<string, Scalar>>): boolean {
  const fields = document as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(equals).every(([field, value]) => fields[field] === value);
}
