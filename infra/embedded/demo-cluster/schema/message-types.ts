/**
 * The shapes of the Kubernetes messages the stand-in understands: one table from which protobuf bodies are decoded,
 * bodies are checked, lists are merged and `kubectl explain` is answered.
 *
 * Notation: `Message: number name type, ...`. Numbers and names are those of Kubernetes' published API types (v1.35).
 *   ...Type    the fields of Type stand here directly in JSON (in protobuf they are a message of their own)
 *   []T  {}T   a list of T; a map from text to T
 *   T?         absent differs from empty (a pointer in Kubernetes), so an empty value is kept
 *   @key       strategic merge and apply join the list's members by this field; a bare @ joins plain values as a set
 *   #key       only apply does; a bare # is a set to apply alone
 *
 * Invariant: what is not in the table does not exist for the stand-in.
 */
import { coreTypes } from './core-types.ts';
import { groupTypes } from './group-types.ts';
import { podTypes } from './pod-types.ts';
import { volumeTypes } from './volume-types.ts';

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly name: string;
  /** A scalar's name or a message's. */
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map';
  readonly inline: boolean;
  readonly pointer: boolean;
  /** The field that identifies a member of the list; '' when the member itself does. */
  readonly mergeKey?: string;
  /** Whether only server-side apply uses the key. */
  readonly applyOnly: boolean;
}

const scalarTypes = ['string', 'int32', 'int64', 'bool', 'bytes', 'Time', 'MicroTime', 'Quantity', 'IntOrString'];

const messages = parseTypes(coreTypes + podTypes + volumeTypes + groupTypes);
const jsonFields = new Map<string, ReadonlyMap<string, Field>>(
  [...messages.keys()].map((name) => [name, new Map(flattened(name).map((field) => [field.name, field]))]),
);

/** The fields of a message as protobuf numbers them; undefined when the table has no such message. */
export function wireFields(message: string): readonly Field[] | undefined {
  return messages.get(message);
}

/** The fields of a message as JSON names them, inlined messages opened; undefined when there is no such message. */
export function fieldsOf(message: string): ReadonlyMap<string, Field> | undefined {
  return jsonFields.get(message);
}

function flattened(message: string): Field[] {
  return (messages.get(message) ?? []).flatMap((field) => (field.inline ? flattened(field.type) : [field]));
}

function parseTypes(text: string): ReadonlyMap<string, readonly Field[]> {
  const joined = text.replaceAll('\n  ', ' ').split('\n').filter(Boolean);
  const parsed = new Map(joined.map(parseMessage));
  for (const [message, fields] of parsed) {
    for (const { name, type } of fields) {
      if (!parsed.has(type) && !scalarTypes.includes(type) && type !== 'FieldsV1' && type !== 'ExtraValue')
        throw new Error(`message-types: ${message}.${name} has the unknown type ${type}`);
    }
  }
  return parsed;
}

function parseMessage(line: string): [string, Field[]] {
  const colon = line.indexOf(':');
  return [
    line.slice(0, colon),
    line
      .slice(colon + 1)
      .split(',')
      .map(parseField),
  ];
}

function parseField(text: string): Field {
  const match = /^\s*(\d+) (?:(\.\.\.)|(\w+) )(\[\]|\{\})?(\w+)(\?)?(?:([@#])(\w*))?$/.exec(text);
  if (match === null) throw new Error(`message-types: cannot read the field '${text}'`);
  const [, number, inline, name, shape, type, pointer, join, key] = match;
  return {
    number: Number(number),
    name: name ?? '',
    type: type ?? '',
    shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one',
    inline: inline !== undefined,
    pointer: pointer !== undefined,
    applyOnly: join === '#',
    ...(key === undefined ? {} : { mergeKey: key }),
  };
}
