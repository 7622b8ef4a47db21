/**
 * JSON of the REST face and of the CLI's `-o json`: protobuf's JSON names, enums as PascalCase words without their
 * prefix (`CLUSTER_STATUS_PENDING` → `Pending`), and every field present, so that `jq` finds an empty list and not null.
 */
import type { DescEnum, DescMessage, JsonValue, Message } from '@bufbuild/protobuf';
import { fromJson, toJson } from '@bufbuild/protobuf';

/** A message as REST JSON. */
export function toRestJson(schema: DescMessage, message: Message): JsonValue {
  return mapEnums(schema, toJson(schema, message, { alwaysEmitImplicit: true }), wordOf);
}

/** A message from REST JSON; unknown fields are ignored (AZ-01). Throws for a value of the wrong type. */
export function fromRestJson(schema: DescMessage, json: JsonValue): Message {
  return fromJson(schema, mapEnums(schema, json, nameOf), { ignoreUnknownFields: true });
}

type EnumMap = (description: DescEnum, value: string) => string;

function mapEnums(schema: DescMessage, json: JsonValue, map: EnumMap): JsonValue {
  // Well-known types have a JSON form of their own.
  if (
    schema.typeName.startsWith('google.protobuf.') ||
    typeof json !== 'object' ||
    json === null ||
    Array.isArray(json)
  ) {
    return json;
  }
  const result: Record<string, JsonValue> = { ...json };
  for (const field of schema.fields) {
    const value = result[field.jsonName];
    if (value === undefined || value === null) continue;
    result[field.jsonName] = mapField(field, value, map);
  }
  return result;
}

function mapField(field: DescMessage['fields'][number], value: JsonValue, map: EnumMap): JsonValue {
  const each = (item: JsonValue): JsonValue => {
    if (field.enum) return typeof item === 'string' ? map(field.enum, item) : item;
    return field.message ? mapEnums(field.message, item, map) : item;
  };
  if (field.fieldKind === 'list') return Array.isArray(value) ? value.map(each) : value;
  return field.fieldKind === 'map' ? value : each(value);
}

/** The word of an enum value: `CLUSTER_STATUS_PENDING` → `Pending`. */
export const wordOf: EnumMap = (description, name) =>
  name
    .slice(prefixOf(description).length)
    .toLowerCase()
    .replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

// protobuf would drop a word it does not know, and a filter that is dropped finds more than was asked for.
const nameOf: EnumMap = (description, word) => {
  const value = description.values.find(({ name }) => name === word || wordOf(description, name) === word);
  if (!value) throw new Error(`${JSON.stringify(word.slice(0, 60))} is not one of ${description.name}`);
  return value.name;
};

const prefixOf = (description: DescEnum): string => (description.sharedPrefix ?? '').toUpperCase();
