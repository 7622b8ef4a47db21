/**
 * Sets of an object's fields, in the form Kubernetes keeps them (FieldsV1, KEP-555): a tree of `f:name` for fields,
 * `k:{...}` for list members by key and `v:...` by value; a leaf is an empty object. Pure functions only.
 */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from './objects.ts';
import { fieldsOf } from './schema/message-types.ts';

/** Fields by name (`f:`), list members by key (`k:`) or value (`v:`); a leaf is an empty object. */
export type FieldSet = JsonObject;

/** Metadata nobody manages: the server sets it. */
const unmanaged = ['f:name', 'f:namespace', 'f:uid', 'f:resourceVersion', 'f:creationTimestamp', 'f:generation'];

/** The set of fields an object of a type has. */
export function fieldsIn(object: JsonObject, type: string): FieldSet {
  const set = treeOf(object, type);
  delete set['f:apiVersion'];
  delete set['f:kind'];
  const metadata = set['f:metadata'];
  if (!isJsonObject(metadata)) return set;
  for (const name of [...unmanaged, 'f:managedFields']) Reflect.deleteProperty(metadata, name);
  if (Object.keys(metadata).length === 0) delete set['f:metadata'];
  return set;
}

/** Fields of either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result = new Map(Object.entries(a));
  for (const [key, sub] of Object.entries(b)) result.set(key, union(asSet(result.get(key)), asSet(sub)));
  return Object.fromEntries(result);
}

/** Fields of `a` that are not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return Object.fromEntries(
    Object.entries(a).flatMap(([key, sub]) => {
      const other = b[key];
      if (!isJsonObject(other)) return [[key, sub]];
      const rest = difference(asSet(sub), other);
      return Object.keys(rest).length === 0 ? [] : [[key, rest]];
    }),
  );
}

/** Fields set to another value, or new, between two versions of an object. */
export function changedFields(before: JsonObject, after: JsonObject, type: string): FieldSet {
  const set = fieldsIn(after, type);
  const same = leaves(set).filter((path) => isDeepStrictEqual(valueOf(before, path), valueOf(after, path)));
  return difference(set, setOf(same));
}

/** Fields of both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return Object.fromEntries(
    Object.entries(a).flatMap(([key, sub]) => {
      const other = b[key];
      if (!isJsonObject(other)) return [];
      const both = intersection(asSet(sub), other);
      const leaf = Object.keys(asSet(sub)).length === 0;
      return leaf || Object.keys(both).length > 0 ? [[key, both]] : [];
    }),
  );
}

function treeOf(value: unknown, type: string | undefined): FieldSet {
  if (!isJsonObject(value)) return {};
  const fields = type === undefined ? undefined : fieldsOf(type);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const field = fields?.get(name);
      if (Array.isArray(member) && field?.mergeKey !== undefined) {
        const members = member.map((item) => [memberKey(item, field.mergeKey ?? ''), treeOf(item, field.type)]);
        return [`f:${name}`, Object.fromEntries(members) as FieldSet];
      }
      return [`f:${name}`, treeOf(member, field?.shape === 'one' ? field.type : undefined)];
    }),
  );
}

/** How a list member is named in a set: by its key field, or by its value when `key` is ''. */
export function memberKey(item: unknown, key: string): string {
  if (key === '' || !isJsonObject(item)) return `v:${JSON.stringify(item)}`;
  return `k:${JSON.stringify({ [key]: item[key] })}`;
}

/** The path of every leaf. */
export function leaves(set: FieldSet, path: readonly string[] = []): string[][] {
  const entries = Object.entries(set);
  if (entries.length === 0) return path.length === 0 ? [] : [[...path]];
  return entries.flatMap(([key, sub]) => leaves(asSet(sub), [...path, key]));
}

/** The set that has these leaves. */
export function setOf(paths: readonly string[][]): FieldSet {
  const root: FieldSet = {};
  for (const path of paths) {
    let at = root;
    for (const key of path) {
      const next = asSet(at[key]);
      at[key] = next;
      at = next;
    }
  }
  return root;
}

/** The value at a leaf's path; undefined where the object has none. */
export function valueOf(object: unknown, path: readonly string[]): unknown {
  let current = object;
  for (const key of path) {
    if (key.startsWith('f:')) current = isJsonObject(current) ? current[key.slice(2)] : undefined;
    else current = Array.isArray(current) ? current.find((item) => isMember(item, key)) : undefined;
  }
  return current;
}

function isMember(item: unknown, key: string): boolean {
  if (key.startsWith('v:')) return JSON.stringify(item) === key.slice(2);
  const [[name, value] = ['', undefined]] = Object.entries(JSON.parse(key.slice(2)) as JsonObject);
  return isJsonObject(item) && isDeepStrictEqual(item[name], value);
}

/** A path as Kubernetes prints it: `.spec.containers[name="web"].image`. */
export function shownPath(path: readonly string[]): string {
  const parts = path.map((key) => {
    if (key.startsWith('f:')) return `.${key.slice(2)}`;
    return `[${key.slice(2).replace(/^\{"(\w+)":(.*)\}$/, '$1=$2')}]`;
  });
  return parts.join('');
}

function asSet(value: unknown): FieldSet {
  return isJsonObject(value) ? value : {};
}
