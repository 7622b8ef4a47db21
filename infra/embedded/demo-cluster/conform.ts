/**
 * Brings a body into the shape of its kind: values of the wrong type are refused, nulls are read as absent, and fields
 * the kind does not have are left out and named, so that `fieldValidation` can refuse or warn as the API server does.
 *
 * Invariant: what passed here has, wherever the table names a field, a value of that field's type.
 */
import { isJsonObject, type JsonObject } from './objects.ts';
import { type Field, fieldsOf } from './schema/message-types.ts';
import { badRequest } from './status.ts';

/** What came out, and the paths of the fields that do not exist. */
interface Conformed {
  object: JsonObject;
  unknown: string[];
}

const maxDepth = 64;
const quantity = /^[+-]?\d*\.?\d+([eE][+-]?\d+|[numkKMGTPE]i?)?$/;

/**
 * Reads a body as an object of a kind.
 * @param expected the kind of the path; a body without `apiVersion` and `kind` is taken to be of it
 * @throws ApiError 400 for another kind or a value of the wrong type
 */
export function conform(body: unknown, expected: { apiVersion: string; kind: string }): Conformed {
  if (!isJsonObject(body)) throw badRequest('the body of the request must be one object');
  const { apiVersion = expected.apiVersion, kind = expected.kind, ...fields } = body;
  if (apiVersion !== expected.apiVersion) {
    throw badRequest(
      `the API version in the data (${shown(apiVersion)}) does not match the expected API version (${expected.apiVersion})`,
    );
  }
  if (kind !== expected.kind)
    throw badRequest(`the kind in the data (${shown(kind)}) does not match the expected kind (${expected.kind})`);
  const unknown: string[] = [];
  const object = new Reading(expected, unknown).message(fields, { type: expected.kind, path: '', depth: 0 });
  return { object: { apiVersion, kind, ...object }, unknown };
}

interface Place {
  type: string;
  path: string;
  depth: number;
}

class Reading {
  readonly #expected: { apiVersion: string; kind: string };
  readonly #unknown: string[];

  constructor(expected: { apiVersion: string; kind: string }, unknown: string[]) {
    this.#expected = expected;
    this.#unknown = unknown;
  }

  message(value: unknown, { type, path, depth }: Place): JsonObject {
    if (!isJsonObject(value)) throw this.#wrongType(value, path, `v1.${type}`);
    if (depth > maxDepth) throw badRequest(`the body nests deeper than ${maxDepth} objects`);
    const fields = fieldsOf(type);
    const result: JsonObject = {};
    for (const [name, member] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      const field = fields?.get(name);
      if (field === undefined) this.#unknown.push(at);
      else if (member !== null) result[name] = this.#field(member, field, { type: field.type, path: at, depth });
    }
    return result;
  }

  #field(value: unknown, field: Field, at: Place): unknown {
    switch (field.shape) {
      case 'one':
        return this.#value(value, at);
      case 'list':
        if (!Array.isArray(value)) throw this.#wrongType(value, at.path, `[]${goType(field.type)}`);
        return value.map((item, index) => this.#value(item, { ...at, path: `${at.path}[${index}]` }));
      case 'map':
        if (!isJsonObject(value)) throw this.#wrongType(value, at.path, `map[string]${goType(field.type)}`);
        return Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, this.#value(item, { ...at, path: `${at.path}.${key}` })]),
        );
    }
  }

  #value(value: unknown, at: Place): unknown {
    if (isOfType(value, at.type)) return value;
    switch (at.type) {
      case 'string':
        if (value === null) return '';
        throw this.#wrongType(value, at.path, 'string');
      case 'Quantity':
        if (typeof value === 'number') return String(value);
        throw this.#wrongType(value, at.path, 'resource.Quantity');
      case 'Time':
      case 'MicroTime':
      case 'IntOrString':
      case 'FieldsV1':
      case 'ExtraValue':
      case 'bytes':
      case 'bool':
      case 'int32':
      case 'int64':
        throw this.#wrongType(value, at.path, goType(at.type));
      default:
        return this.message(value, { ...at, depth: at.depth + 1 });
    }
  }

  #wrongType(value: unknown, path: string, wanted: string): Error {
    const { kind, apiVersion } = this.#expected;
    const version = apiVersion.split('/').at(-1);
    const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    return badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: json: cannot unmarshal ${found} ` +
        `into Go struct field ${kind}.${path} of type ${wanted}`,
    );
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'Quantity':
      return typeof value === 'string' && value.length <= 64 && quantity.test(value);
    case 'bool':
      return typeof value === 'boolean';
    case 'int32':
      return Number.isInteger(value) && Math.abs(Number(value)) <= 2 ** 31;
    case 'int64':
      return Number.isSafeInteger(value);
    case 'IntOrString':
      return typeof value === 'string' || Number.isInteger(value);
    case 'Time':
    case 'MicroTime':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value));
    case 'bytes':
      return typeof value === 'string' && /^[A-Za-z0-9+/\s]*={0,2}$/.test(value.trimEnd());
    case 'FieldsV1':
      return isJsonObject(value);
    case 'ExtraValue':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    default:
      return false;
  }
}

function goType(type: string): string {
  const goNames: Record<string, string> = { bytes: '[]uint8', Time: 'v1.Time', IntOrString: 'intstr.IntOrString' };
  return goNames[type] ?? type;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
