/**
 * Server-side apply in a simple form (KEP-555): every field remembers who set it last, an applied object takes away
 * the fields its manager no longer names, and two managers who want different values get a conflict unless forced.
 *
 * Simpler than the original: a list is joined by one key, and fields set by the stand-in's own controllers have no
 * manager.
 */
import { isDeepStrictEqual } from 'node:util';
import { difference, type FieldSet, intersection, leaves, memberKey, valueOf } from './field-sets.ts';
import { isJsonObject, type JsonObject, type ManagedFields } from './objects.ts';
import { fieldsOf } from './schema/message-types.ts';

/** Who writes, and how. */
export interface Manager {
  manager: string;
  operation: ManagedFields['operation'];
  apiVersion: string;
  time: string;
  subresource?: string;
}

/** A field two managers want differently. */
interface FieldConflict {
  manager: string;
  path: string[];
}

/**
 * Lays an applied object over the live one.
 * @param dropped fields the manager had applied before, no longer does, and nobody else owns
 */
export function applied(
  live: JsonObject,
  patch: JsonObject,
  { type, dropped }: { type: string; dropped: FieldSet },
): JsonObject {
  return joined(without(live, dropped, type), patch, type) as JsonObject;
}

/** Fields of `ours` that other managers own and whose applied value differs from the live one. */
export function conflictsOf(
  ours: FieldSet,
  others: readonly ManagedFields[],
  { before, after }: { before: JsonObject; after: JsonObject },
): FieldConflict[] {
  return others.flatMap(({ manager, fieldsV1 }) =>
    leaves(intersection(ours, fieldsV1)).flatMap((path) =>
      isDeepStrictEqual(valueOf(before, path), valueOf(after, path)) ? [] : [{ manager, path }],
    ),
  );
}

/** The managers' claims after a write: the writer's set replaces or joins its own and leaves the others' when taken. */
export function claim(
  claims: readonly ManagedFields[],
  writer: Manager,
  { owned, taken, gone }: { owned: FieldSet; taken: FieldSet; gone: FieldSet },
): ManagedFields[] {
  const others = claims
    .filter((entry) => !isWriter(entry, writer))
    .map((entry) => ({ ...entry, fieldsV1: difference(difference(entry.fieldsV1, taken), gone) }));
  const mine: ManagedFields = { ...writer, fieldsType: 'FieldsV1', fieldsV1: owned };
  return [...others, mine].filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0);
}

/** Whether a claim is the writer's own. */
export function isWriter(entry: ManagedFields, writer: Manager): boolean {
  const same = entry.manager === writer.manager && entry.operation === writer.operation;
  return same && entry.subresource === writer.subresource;
}

function joined(live: unknown, patch: unknown, type: string | undefined): unknown {
  if (!isJsonObject(patch)) return patch;
  const result = new Map(Object.entries(isJsonObject(live) ? live : {}));
  for (const [name, value] of Object.entries(patch)) {
    const field = type === undefined ? undefined : fieldsOf(type)?.get(name);
    const current = result.get(name);
    const key = field?.mergeKey;
    if (Array.isArray(value) && Array.isArray(current) && field !== undefined && key !== undefined) {
      const rest = new Map(current.map((item) => [memberKey(item, key), item as unknown]));
      for (const item of value)
        rest.set(memberKey(item, key), joined(rest.get(memberKey(item, key)), item, field.type));
      result.set(name, [...rest.values()]);
    } else result.set(name, joined(current, value, field?.shape === 'one' ? field.type : undefined));
  }
  return Object.fromEntries(result);
}

function without(live: JsonObject, dropped: FieldSet, type: string | undefined): JsonObject {
  const kept = Object.entries(live).flatMap(([name, value]) => {
    const gone = dropped[`f:${name}`];
    if (!isJsonObject(gone)) return [[name, value]];
    if (Object.keys(gone).length === 0) return [];
    const field = type === undefined ? undefined : fieldsOf(type)?.get(name);
    if (Array.isArray(value) && field?.mergeKey !== undefined) {
      const members = value.flatMap((item: unknown) => {
        const part = gone[memberKey(item, field.mergeKey ?? '')];
        if (!isJsonObject(part)) return [item];
        // Whoever owned the member's key owned its being there: defaults the server added go with it.
        return isJsonObject(item) && !(`f:${field.mergeKey}` in part) ? [without(item, part, field.type)] : [];
      });
      return [[name, members]];
    }
    return [
      [name, isJsonObject(value) ? without(value, gone, field?.shape === 'one' ? field.type : undefined) : value],
    ];
  });
  return Object.fromEntries(kept) as JsonObject;
}
