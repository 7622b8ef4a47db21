/**
 * For tests: facts told in order, and the documents that read models make of them. The documents lie in memory, in the same
 * batch that the projector uses; nothing here is a stand-in for code of the product.
 */
import type { FactMetadata, Recorded } from '@clustral/schemas/events/envelope.ts';
import { decodeFact } from '@clustral/schemas/events/decode.ts';
import { EpochLedger } from '@clustral/schemas/events/lease.ts';
import type { AnyFact } from '@clustral/schemas/events/catalogue.ts';
import type { RoleFact } from '@clustral/schemas/events/role.ts';
import { Batch } from '../batch.ts';
import type { ReadModel } from '../model.ts';
import type { Collection, Document, ReadStoreReader, Write } from '../read-store.ts';
import { roleCreated } from './people.ts';

const firstAt = Date.parse('2026-11-24T08:00:00Z');

/** Tells facts: each one minute and ten positions after the one before. */
export class Story {
  readonly facts: Recorded[] = [];
  readonly #revisions = new Map<string, number>();
  epoch = 1;

  tell<F extends AnyFact>(stream: string, fact: F, metadata: Partial<FactMetadata> = {}): this {
    const number = this.facts.length + 1;
    const revision = (this.#revisions.get(stream) ?? -1) + 1;
    this.#revisions.set(stream, revision);
    this.facts.push({
      ...fact,
      id: `5e000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      stream,
      revision,
      position: BigInt(number * 10),
      recordedAt: new Date(firstAt + number * 60_000),
      metadata: {
        schemaVersion: 1,
        actor: { kind: 'service', id: 'control-plane' },
        epoch: this.epoch,
        $correlationId: `correlation-${number}`,
        ...metadata,
      },
    });
    return this;
  }
}

/** Many roles that are renamed again and again; `Story` numbers its facts, so these have ids of their own. */
export function manyRoles(): readonly Recorded[] {
  const story = new Story();
  for (let round = 0; round < 8; round += 1) {
    for (let role = 0; role < 60; role += 1) {
      const { data } = roleCreated(`${role}`, `name ${round}`) as Extract<RoleFact, { type: 'role.created' }>;
      story.tell(`role-${role}`, { type: round === 0 ? 'role.created' : 'role.updated', data });
    }
  }
  return story.facts.map((fact) => ({ ...fact, id: fact.id.replace('5e000000', '6e000000') }));
}

const nothing: ReadStoreReader = {
  get: async () => undefined,
  find: async () => [],
  count: async () => 0,
  position: async () => undefined,
};

/** What read models hold after some facts. */
export type Held = {
  get<D extends Document>(collection: Collection<D>, id: string): Promise<D | undefined>;
  all<D extends Document>(collection: Collection<D>): readonly D[];
  /** Every document of every collection, for comparing. */
  readonly writes: readonly Write[];
};

/** Applies the facts in the order given, void ones included. */
export async function heldAfter(models: readonly ReadModel[], facts: readonly Recorded[]): Promise<Held> {
  const batch = new Batch(nothing);
  const ledger = new EpochLedger();
  for (const recorded of facts) {
    const fact = decodeFact(recorded);
    const isVoid = ledger.isVoid(fact);
    const ops = [];
    for (const model of models) ops.push(...(await model.apply({ fact, isVoid }, batch)));
    for (const op of ops) await batch.apply(op);
  }
  const writes = batch.writes();
  return {
    writes,
    get: (collection, id) => batch.get(collection, id),
    all: <D extends Document>(collection: Collection<D>) =>
      writes.flatMap((write) =>
        write.kind === 'put' && write.collection.name === collection.name ? [write.document as D] : [],
      ),
  };
}
