/**
 * The forms an object can be answered in: itself, only its metadata, or rows of a table. kubectl asks for tables by
 * `Accept: application/json;as=Table;v=v1;g=meta.k8s.io`; the first form of the header that can be given is given.
 */
import { columnsOf } from './columns.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { notAcceptable } from './status.ts';

/** What a client asked to see. */
export type Form = 'object' | 'metadata' | 'table';

/** How much of the object a table row carries. */
type RowObject = 'Object' | 'Metadata' | 'None';

const meta = 'meta.k8s.io/v1';
const contentTypes: Record<Form, string> = {
  object: 'application/json',
  metadata: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  table: 'application/json;as=Table;v=v1;g=meta.k8s.io',
};

/**
 * The form to answer in.
 * @throws ApiError 406 when the client takes nothing the stand-in can give
 */
export function formOf(accept: string): Form {
  const wanted = accept.split(',').map((part) => part.toLowerCase().replaceAll(' ', ''));
  for (const part of wanted) {
    const [type = '', ...parameters] = part.split(';');
    if (!['application/json', '*/*', 'application/*', ''].includes(type)) continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    if (as === undefined) return 'object';
    if (!parameters.includes('v=v1')) continue;
    if (as === 'table') return 'table';
    if (as === 'partialobjectmetadata' || as === 'partialobjectmetadatalist') return 'metadata';
  }
  throw notAcceptable('application/json');
}

/** The content type that names a form. */
export function contentTypeOf(form: Form): string {
  return contentTypes[form];
}

/** How much of the object the rows shall carry, from the query. */
export function rowObjectOf(query: URLSearchParams): RowObject {
  const asked = query.get('includeObject');
  return asked === 'Object' || asked === 'None' ? asked : 'Metadata';
}

/** Objects of one kind as a table. */
export function tableOf(
  objects: readonly KubeObject[],
  { kind, now, rowObject, list }: { kind: string; now: Date; rowObject: RowObject; list: JsonObject },
): JsonObject {
  const columns = columnsOf(kind);
  return {
    kind: 'Table',
    apiVersion: meta,
    metadata: list,
    columnDefinitions: columns.map(({ name, type, format = '', wide }) => ({
      name,
      type,
      format,
      description: '',
      priority: wide === true ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, now)),
      ...(rowObject === 'None' ? {} : { object: rowObject === 'Object' ? object : metadataOf(object) }),
    })),
  };
}

/** An object without anything but its metadata. */
export function metadataOf(object: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: meta, metadata: object.metadata };
}
