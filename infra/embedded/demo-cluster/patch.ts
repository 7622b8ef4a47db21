/**
 * The ways a client may describe a change: JSON merge patch (RFC 7396), JSON patch (RFC 6902) and Kubernetes'
 * strategic merge patch. Each takes the object and the patch and returns a new object; neither is changed.
 *
 * Server-side apply, the fourth way, lives in apply.ts because it also has to know who set what.
 */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from './objects.ts';
import { fieldsOf } from './schema/message-types.ts';
import { ApiError, badRequest } from './status.ts';

/** RFC 7396: null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result = new Map(Object.entries(isJsonObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, mergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}

/**
 * Kubernetes' strategic merge: like a merge patch, but lists whose kind names a merge key are joined member by member.
 * The `$patch`, `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder` directives are obeyed.
 * @param type the message type both sides have
 */
export function strategicMerge(target: unknown, patch: JsonObject, type: string): JsonObject {
  if (patch['$patch'] === 'delete') return {};
  const plain = Object.entries(patch).filter(([key]) => !key.startsWith('$'));
  if (patch['$patch'] === 'replace') return Object.fromEntries(plain);
  const kept = retained(isJsonObject(target) ? target : {}, patch['$retainKeys']);
  const result = new Map(Object.entries(kept));
  for (const [directive, list] of Object.entries(patch)) {
    const name = /^\$deleteFromPrimitiveList\/(.+)$/.exec(directive)?.[1];
    const current = name === undefined ? undefined : result.get(name);
    if (name === undefined || !Array.isArray(current) || !Array.isArray(list)) continue;
    result.set(
      name,
      current.filter((item) => !list.includes(item)),
    );
  }
  for (const [key, value] of plain) {
    if (value === null) result.delete(key);
    else
      result.set(key, strategicField(result.get(key), value, { type, key, order: patch[`$setElementOrder/${key}`] }));
  }
  return Object.fromEntries(result);
}

/**
 * RFC 6902.
 * @throws ApiError 422 when an operation cannot be carried out, 400 for something that is no patch
 */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations');
  if (operations.length > 10_000) throw badRequest('a JSON patch may hold 10000 operations');
  let document = structuredClone(target);
  for (const operation of operations) {
    if (!isJsonObject(operation)) throw badRequest('every member of a JSON patch is an object');
    document = applyOperation(document, operation);
  }
  return document;
}

function strategicField(
  current: unknown,
  value: unknown,
  { type, key, order }: { type: string; key: string; order: unknown },
): unknown {
  const field = fieldsOf(type)?.get(key);
  if (Array.isArray(value)) {
    if (field?.mergeKey === undefined || field.applyOnly || !Array.isArray(current)) return withoutDirectives(value);
    const merged =
      field.mergeKey === ''
        ? [...current, ...value.filter((item) => !current.includes(item))]
        : mergeByKey(current, value, { type: field.type, key: field.mergeKey });
    return ordered(merged, order, field.mergeKey);
  }
  if (!isJsonObject(value)) return value;
  // A map from text to T has no fields of its own: its members merge as plain JSON.
  return field === undefined || field.shape === 'map'
    ? mergePatch(current, value)
    : strategicMerge(current, value, field.type);
}

function mergeByKey(current: unknown[], patch: unknown[], { type, key }: { type: string; key: string }): unknown[] {
  if (patch.some((item) => isJsonObject(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => isJsonObject(item) && item['$patch'] === undefined);
  }
  let result = [...current];
  for (const item of patch) {
    if (!isJsonObject(item)) throw badRequest(`members of a list merged by ${key} must be objects`);
    if (item[key] === undefined) throw badRequest(`a list member of the patch lacks its merge key ${key}`);
    const at = result.findIndex((member) => isJsonObject(member) && isDeepStrictEqual(member[key], item[key]));
    if (item['$patch'] === 'delete') result = result.filter((_, index) => index !== at);
    else if (at < 0) result.push(strategicMerge({}, item, type));
    else result[at] = strategicMerge(result[at], item, type);
  }
  return result;
}

function ordered(list: unknown[], order: unknown, key: string): unknown[] {
  if (!Array.isArray(order)) return list;
  const idOf = (item: unknown): unknown => (key === '' ? item : isJsonObject(item) ? item[key] : undefined);
  const wanted = order.map(idOf);
  const rank = (item: unknown): number => {
    const at = wanted.findIndex((id) => isDeepStrictEqual(id, idOf(item)));
    return at < 0 ? wanted.length : at;
  };
  return list.toSorted((a, b) => rank(a) - rank(b));
}

function retained(target: JsonObject, keys: unknown): JsonObject {
  if (!Array.isArray(keys)) return target;
  return Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key)));
}

function withoutDirectives(list: unknown[]): unknown[] {
  return list.filter((item) => !isJsonObject(item) || item['$patch'] === undefined);
}

function applyOperation(document: unknown, operation: JsonObject): unknown {
  const path = pointer(operation['path']);
  const { value } = operation;
  switch (operation['op']) {
    case 'test':
      if (isDeepStrictEqual(read(document, path), value)) return document;
      throw cannot(`the test of ${String(operation['path'])} failed`);
    case 'add':
      return write(document, path, { value, adding: true });
    case 'replace':
      read(document, path);
      return write(document, path, { value, adding: false });
    case 'remove':
      return erase(document, path);
    case 'move': {
      const from = pointer(operation['from']);
      const moved = read(document, from);
      return write(erase(document, from), path, { value: moved, adding: true });
    }
    case 'copy':
      return write(document, path, {
        value: structuredClone(read(document, pointer(operation['from']))),
        adding: true,
      });
    default:
      throw badRequest(`a JSON patch has no operation '${String(operation['op'])}'`);
  }
}

function pointer(text: unknown): string[] {
  if (text === '') return [];
  if (typeof text !== 'string' || !text.startsWith('/')) throw badRequest('a JSON pointer begins with a slash');
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, path: readonly string[]): unknown {
  let current = document;
  for (const part of path) {
    if (Array.isArray(current)) current = current[arrayIndex(part, current.length - 1)];
    else if (isJsonObject(current) && Object.hasOwn(current, part)) current = current[part];
    else throw cannot(`there is nothing at /${path.join('/')}`);
  }
  return current;
}

function write(
  document: unknown,
  path: readonly string[],
  { value, adding }: { value: unknown; adding: boolean },
): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = read(document, path.slice(0, -1));
  if (Array.isArray(parent)) {
    if (adding) parent.splice(last === '-' ? parent.length : arrayIndex(last, parent.length), 0, value);
    else parent[arrayIndex(last, parent.length - 1)] = value;
  } else if (isJsonObject(parent) && last !== '__proto__') parent[last] = value;
  else throw cannot(`nothing can be set at /${path.join('/')}`);
  return document;
}

function erase(document: unknown, path: readonly string[]): unknown {
  const last = path.at(-1);
  if (last === undefined) throw cannot('the whole object cannot be removed');
  read(document, path);
  const parent = read(document, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(arrayIndex(last, parent.length - 1), 1);
  else if (isJsonObject(parent)) Reflect.deleteProperty(parent, last);
  return document;
}

function arrayIndex(text: string, most: number): number {
  const index = /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : -1;
  if (index < 0 || index > most) throw cannot(`'${text}' is no place in the list`);
  return index;
}

function cannot(why: string): ApiError {
  return new ApiError(422, 'Invalid', {
    message: `the server rejected our request due to an error in our request: ${why}`,
  });
}
