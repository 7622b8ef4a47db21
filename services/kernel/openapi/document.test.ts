import { getOption } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { isErrorCode } from '@clustral/schemas/errors.ts';
import { rule } from '@clustral/schemas/gen/clustral/v1/options_pb.ts';
import { adminServices, routesOf } from '@clustral/schemas/services.ts';
import { openApiDocument } from './document.ts';

type Json = Readonly<Record<string, unknown>>;
type Parameter = { readonly name: string; readonly in: string; readonly required?: boolean; readonly $ref?: string };
type Operation = Json & {
  readonly operationId: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly $ref?: string }>>;
  readonly security?: readonly unknown[];
};

const document = openApiDocument(adminServices, '1.2.3') as Json & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const operations = Object.entries(document.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ line: `${verb.toUpperCase()} ${path}`, path, operation })),
);
const operation = (line: string): Operation => {
  const found = operations.find((one) => one.line === line);
  if (!found) throw new Error(`the document has no ${line}`);
  return found.operation;
};

/** Every value below, with the path to it. */
function* walk(value: unknown, path = '#'): Generator<readonly [path: string, value: unknown]> {
  yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) yield* walk(inner, `${path}/${name}`);
}

const resolve = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, name) => (value as Json | undefined)?.[name], document);

describe('the description of the REST face', () => {
  it('has every method of the table, and nothing else', () => {
    const lines = routesOf(adminServices).map(({ verb, path }) => `${verb} ${path}`);
    expect(operations.map(({ line }) => line).toSorted()).toEqual(lines.toSorted());
  });

  it('names each operation once and says of each what it does', () => {
    const ids = operations.map(({ operation: { operationId } }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { line, operation: one } of operations) expect(one.description, line).toMatch(/^[A-Z].*\.$/);
  });

  it('points to nothing that is not there, and holds nothing that nobody points to', () => {
    const references = [...walk(document)].flatMap(([path, value]) =>
      path.endsWith('/$ref') && typeof value === 'string' ? [value] : [],
    );
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
    const components = document['components'] as Readonly<Record<string, Json>>;
    const there = ['schemas', 'responses', 'parameters'].flatMap((kind) =>
      Object.keys(components[kind] ?? {}).map((name) => `#/components/${kind}/${name}`),
    );
    expect(there.filter((name) => !references.includes(name))).toEqual([]);
  });

  it.each(operations)('declares what the path of $line names, and no more', ({ path, operation: { parameters } }) => {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    expect(new Set(inPath.map(({ name }) => name))).toEqual(new Set(named));
    expect(inPath.every(({ required }) => required)).toBe(true);
  });

  it('knows of each method who need not sign in, and how everybody else is refused', () => {
    for (const { method, verb, path, callers } of routesOf(adminServices)) {
      const { security, responses } = operation(`${verb} ${path}`);
      expect(security?.length === 0, method.name).toBe(callers === 'anyone');
      expect('401' in responses && '403' in responses, method.name).toBe(callers !== 'anyone');
    }
  });

  it('gives commands a key and a position, and questions a position to wait for', () => {
    const references = (line: string) =>
      operation(line).parameters.flatMap(({ $ref }) => ($ref === undefined ? [] : [$ref]));
    expect(references('POST /api/v1/clusters')).toEqual(['#/components/parameters/IdempotencyKey']);
    expect(references('GET /api/v1/clusters')).toEqual(['#/components/parameters/AtLeastPosition']);
    expect(references('GET /api/v1/version')).toEqual([]);
    expect(operation('POST /api/v1/clusters').responses['201']).toMatchObject({
      headers: { 'X-Clustral-Position': {} },
    });
  });

  it('pages every list that has pages', () => {
    const names = (line: string) => operation(line).parameters.map(({ name }) => name);
    for (const list of ['clusters', 'roles', 'users', 'access-requests', 'credentials', 'audit'])
      expect(names(`GET /api/v1/${list}`), list).toEqual(expect.arrayContaining(['pageSize', 'pageToken']));
  });

  it('says which refusals a method has of its own, by status', () => {
    const refusals = (line: string, status: string) => operation(line).responses[status]?.$ref?.split('/').at(-1);
    expect(refusals('POST /api/v1/clusters', '409')).toBe('CONFLICT.DUPLICATE_CLUSTER_NAME');
    expect(refusals('GET /api/v1/clusters/{id}', '404')).toBe('CLUSTER_NOT_FOUND');
    expect(refusals('POST /api/v1/access-requests/{id}/approve', '403')).toBe('FORBIDDEN.SELF_APPROVAL');
  });

  it('knows no code that is not in the catalogue', () => {
    const stated = adminServices.flatMap(({ methods }) => methods.flatMap((method) => getOption(method, rule).errors));
    expect(stated.length).toBeGreaterThan(40);
    expect(stated.filter((code) => !isErrorCode(code))).toEqual([]);
  });
});
