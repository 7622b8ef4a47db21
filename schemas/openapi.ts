/**
 * The shape of REST JSON (`rest-json.ts`) as JSON Schema 2020-12, the dialect of OpenAPI 3.1: what a message looks like in an
 * answer, and what may be sent of it. Made from the descriptors and the rules of their fields (`options.proto`), so nothing is
 * said twice. It knows no paths and no methods.
 */
import {
  getOption,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
} from '@bufbuild/protobuf';
import { field as fieldRule, TextForm, type FieldRule } from './gen/clustral/v1/options_pb.ts';
import { wordOf } from './rest-json.ts';

/** Whether a message is sent or answered: an answer has every field, a request those that it needs. */
export type Direction = 'sent' | 'answered';

export type SchemaOptions = {
  /** Text about a message or field, by its full name. */
  readonly comments: Readonly<Record<string, string>>;
  /** The schema that a message is referred to by; told of each that is. */
  readonly refer: (message: DescMessage, direction: Direction) => JsonObject;
};

/** The schema of a message without the named fields. */
export function messageSchema(
  message: DescMessage,
  { direction, without = [] }: { readonly direction: Direction; readonly without?: readonly string[] },
  options: SchemaOptions,
): JsonObject {
  const fields = message.fields.filter(({ jsonName }) => !without.includes(jsonName));
  const required = fields.filter((field) => isRequired(field, direction)).map(({ jsonName }) => jsonName);
  return {
    type: 'object',
    ...described(options, message.typeName),
    properties: Object.fromEntries(
      fields.map((field) => [field.jsonName, orNull(field, direction, fieldSchema(field, direction, options))]),
    ),
    ...(required.length === 0 ? {} : { required }),
  };
}

/** In JSON, and in JSON only, null stands for a field that is left out. */
function orNull(field: DescField, direction: Direction, { description, ...schema }: JsonObject): JsonObject {
  const about = description === undefined ? {} : { description };
  if (direction === 'answered' || isRequired(field, direction)) return { ...about, ...schema };
  const { type } = schema;
  if (typeof type !== 'string' || 'enum' in schema) return { ...about, anyOf: [schema, { type: 'null' }] };
  return { ...about, ...schema, type: [type, 'null'] };
}

/** The schema of one field. */
export function fieldSchema(field: DescField, direction: Direction, options: SchemaOptions): JsonObject {
  const about = described(options, `${field.parent.typeName}.${field.name}`);
  return { ...valueSchema(field, direction, options), ...about };
}

/** True for a field that is always there in an answer, or must be in a request. */
export function isRequired(field: DescField, direction: Direction): boolean {
  if (direction === 'sent') return getOption(field, fieldRule).required;
  // What has no presence is shown with its empty value (`rest-json.ts`); a message that is not there is left out.
  return field.fieldKind === 'list' || field.fieldKind === 'map' || (field.presence === implicit && !field.message);
}

// FeatureSet.FieldPresence.IMPLICIT
const implicit = 2;

function valueSchema(field: DescField, direction: Direction, options: SchemaOptions): JsonObject {
  const rule = getOption(field, fieldRule);
  const bounded = direction === 'sent' ? rule : undefined;
  switch (field.fieldKind) {
    case 'list': {
      const items = itemSchema(field, direction, options);
      return { type: 'array', items: { ...items, ...textRules(field, bounded) }, ...itemRules('Items', bounded) };
    }
    case 'map':
      return { type: 'object', additionalProperties: { type: 'string' }, ...itemRules('Properties', bounded) };
    default: {
      const schema = {
        ...itemSchema(field, direction, options),
        ...textRules(field, bounded),
        ...numberRules(field, bounded),
      };
      // An empty text is as good as none.
      const mayBeEmpty = bounded !== undefined && bounded.form !== TextForm.UNSPECIFIED && !bounded.required;
      return mayBeEmpty ? { anyOf: [schema, { type: 'string', maxLength: 0 }] } : schema;
    }
  }
}

function itemSchema(field: DescField, direction: Direction, options: SchemaOptions): JsonObject {
  if (field.enum) return enumSchema(field.enum);
  if (!field.message) return scalarSchema(field.scalar, direction);
  switch (field.message.typeName) {
    case 'google.protobuf.Timestamp':
      return { type: 'string', format: 'date-time' };
    case 'google.protobuf.Struct':
      return { type: 'object' };
    default:
      return options.refer(field.message, direction);
  }
}

const enumSchema = (description: DescEnum): JsonObject => ({
  type: 'string',
  enum: description.values.filter(({ number }) => number !== 0).map(({ name }) => wordOf(description, name)),
});

function scalarSchema(scalar: ScalarType | undefined, direction: Direction): JsonObject {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.INT32:
      return { type: 'integer', format: 'int32' };
    case ScalarType.INT64:
      // A number of JSON cannot hold all of them, so an answer has a text; both are taken.
      return direction === 'answered'
        ? { type: 'string', pattern: '^-?[0-9]+$', format: 'int64' }
        : { type: ['string', 'integer'], pattern: '^-?[0-9]{1,18}$', minimum: -(2 ** 53), maximum: 2 ** 53 };
    case ScalarType.DOUBLE:
      return { type: 'number', format: 'double' };
    case ScalarType.STRING:
      return { type: 'string' };
    default:
      throw new Error(`no schema for fields of scalar type ${scalar}`);
  }
}

function textRules(field: DescField, rule: FieldRule | undefined): JsonObject {
  if (!rule || field.scalar !== ScalarType.STRING) return {};
  const { form, maxLength, required } = rule;
  const isItem = field.fieldKind === 'list';
  return {
    ...forms[form],
    ...(maxLength === 0 ? {} : { maxLength }),
    ...(form === TextForm.UNSPECIFIED && (required || isItem) ? { minLength: 1 } : {}),
  };
}

const forms: Readonly<Record<TextForm, JsonObject>> = {
  [TextForm.UNSPECIFIED]: {},
  [TextForm.ID]: { format: 'uuid' },
  [TextForm.NAME]: { pattern: '^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$' },
  [TextForm.DURATION]: { pattern: '^[Pp]?([0-9]{1,6}[DdHhMmSs]|[Tt])+$', examples: ['1h30m', 'PT8H'] },
  [TextForm.POSITION]: { pattern: '^[0-9]{1,18}$' },
};

function numberRules({ scalar }: DescField, rule: FieldRule | undefined): JsonObject {
  if (!rule || scalar !== ScalarType.INT32) return {};
  const { minimum, maximum } = rule;
  return { ...(maximum > 0 || minimum > 0 ? { minimum } : {}), ...(maximum > 0 ? { maximum } : {}) };
}

function itemRules(what: 'Items' | 'Properties', rule: FieldRule | undefined): JsonObject {
  if (!rule) return {};
  return {
    ...(rule.required ? { [`min${what}`]: 1 } : {}),
    ...(rule.maxItems === 0 ? {} : { [`max${what}`]: rule.maxItems }),
  };
}

function described({ comments }: SchemaOptions, name: string): JsonObject {
  const description = comments[name];
  return description === undefined ? {} : { description };
}
