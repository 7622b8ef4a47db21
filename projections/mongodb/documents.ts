/**
 * Documents as MongoDB stores them: field for field, so that whoever looks into the database sees what the product shows.
 * Only names that MongoDB gives a meaning of its own are written differently: `$`, `.` and NUL in them as `%` and two
 * hexadecimal digits. Beside the fields stands `_rev`, the log position of the commit that wrote the document last.
 */
import type { Document as MongoDocument } from 'mongodb';
import type { Collection, Document, FieldKind } from '../read-store.ts';

/** Name of the field with the position; no document of ours has it. */
export const revisionField = '_rev';

/** A document for MongoDB. Throws when an indexed field holds what its kind does not allow: nothing is written then. */
export function stored(collection: Collection, document: Document, position: bigint): MongoDocument {
  for (const [field, kind] of Object.entries(collection.fields)) {
    const value = (document as unknown as Readonly<Record<string, unknown>>)[field];
    if (!fits[kind](value ?? null))
      throw new Error(`${collection.name} ${document._id} has a ${field} that is not ${kind}`);
  }
  return { ...(mapNames(document, escaped) as object), [revisionField]: Number(position) };
}

/** The document that was stored. */
export function restored<D extends Document>(found: MongoDocument): D {
  const { [revisionField]: _revision, ...document } = found;
  return mapNames(document, unescaped) as D;
}

const fits: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  text: (value) => value === null || typeof value === 'string',
  integer: (value) => value === null || typeof value === 'number',
  boolean: (value) => value === null || typeof value === 'boolean',
  texts: (value) => value === null || (Array.isArray(value) && value.every((item) => typeof item === 'string')),
};

const escaped = (name: string): string =>
  /[%$.\0]/.test(name)
    ? // oxlint-disable-next-line no-control-regex -- NUL ends a name in BSON
      name.replace(/[%$.\0]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    : name;

const unescaped = (name: string): string =>
  name.includes('%')
    ? name.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : name;

/** The same JSON with other names. What JSON would leave out is left out here as well. */
function mapNames(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapNames(item, rename));
  if (typeof value !== 'object' || value === null) return value;
  const renamed: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, item] of Object.entries(value)) {
    if (item !== undefined) renamed[rename(name)] = mapNames(item, rename);
  }
  return { ...renamed };
}
