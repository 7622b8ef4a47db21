/**
 * OpenAPI v3, as much of it as kubectl reads: an index, per group and version the paths with their `fieldValidation`
 * parameter (`apply` looks for it before it sends anything), and the schemas that `explain` prints. All of it follows
 * from the tables of resources and message types.
 *
 * OpenAPI v2 is not described here; what old versions of kubectl need of it is in plain-paths.ts.
 */
import { groupNames, versionsOf } from './discovery.ts';
import type { JsonObject } from './objects.ts';
import { apiVersionOf, isStored, type Resource, resources } from './resources.ts';
import { descriptionOf } from './schema/descriptions.ts';
import { type Field, fieldsOf } from './schema/message-types.ts';

const bodyMethods = ['post', 'put', 'patch'];
const scalars: Record<string, JsonObject> = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bool: { type: 'boolean' },
  bytes: { type: 'string', format: 'byte' },
  Time: { type: 'string', format: 'date-time' },
  MicroTime: { type: 'string', format: 'date-time' },
  Quantity: { type: 'string' },
  IntOrString: { type: 'string', format: 'int-or-string' },
  FieldsV1: { type: 'object' },
  ExtraValue: { type: 'array', items: { type: 'string' } },
};

/** The OpenAPI document at a path; undefined when there is none. */
export function openApiAt(path: string): JsonObject | undefined {
  if (path === '/openapi/v3') return index();
  const at = groupVersionAt(path);
  return at === undefined ? undefined : documentOf(at);
}

function index(): JsonObject {
  const all = ['', ...groupNames()].flatMap((group) => versionsOf(group).map((version) => ({ group, version })));
  const paths = all.map((at) => [rootOf(at), { serverRelativeURL: `/openapi/v3/${rootOf(at)}` }]);
  return { paths: Object.fromEntries(paths) as JsonObject };
}

function groupVersionAt(path: string): { group: string; version: string } | undefined {
  const match = /^\/openapi\/v3\/(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(path);
  if (match === null) return undefined;
  const at = { group: match[2] ?? '', version: match[1] ?? match[3] ?? '' };
  return versionsOf(at.group).includes(at.version) ? at : undefined;
}

function documentOf(at: { group: string; version: string }): JsonObject {
  const served = resources.filter(({ group, version }) => group === at.group && version === at.version);
  const schemas = new Map<string, JsonObject>();
  for (const resource of served) addSchemas(schemas, resource.kind, resource);
  return {
    openapi: '3.0.0',
    info: { title: 'Clustral demo cluster', version: 'v1.35.0' },
    paths: Object.fromEntries(served.flatMap((resource) => pathsOf(resource))),
    components: { schemas: Object.fromEntries(schemas) },
  };
}

function pathsOf(resource: Resource): [string, JsonObject][] {
  const { plural, namespaced } = resource;
  // kubectl 1.27 looks for a kind under this path alone.
  const everywhere = `/${rootOf(resource)}/${plural}`;
  const collection = namespaced ? `/${rootOf(resource)}/namespaces/{namespace}/${plural}` : everywhere;
  if (!isStored(resource)) return [[collection, operations(resource, ['post'])]];
  return [
    [everywhere, operations(resource, ['get'])],
    [collection, operations(resource, ['get', 'post', 'delete'])],
    [`${collection}/{name}`, operations(resource, ['get', 'put', 'patch', 'delete'])],
  ];
}

function operations(resource: Resource, methods: readonly string[]): JsonObject {
  const { group, version, kind } = resource;
  return Object.fromEntries(
    methods.map((method) => [
      method,
      {
        'x-kubernetes-group-version-kind': { group, version, kind },
        parameters: bodyMethods.includes(method) ? ['dryRun', 'fieldManager', 'fieldValidation'].map(parameter) : [],
        responses: { '200': { description: 'OK' } },
      },
    ]),
  );
}

function parameter(name: string): JsonObject {
  return { name, in: 'query', schema: { type: 'string', uniqueItems: true } };
}

/** Adds the schema of a message and of all it is made of. */
function addSchemas(schemas: Map<string, JsonObject>, message: string, resource?: Resource): void {
  const fields = fieldsOf(message);
  if (fields === undefined || schemas.has(message)) return;
  const own = Object.fromEntries([...fields].map(([name, field]) => [name, propertyOf(message, field)]));
  const { group, version, kind } = resource ?? { group: '', version: '', kind: '' };
  const typed = { apiVersion: { type: 'string' }, kind: { type: 'string' } };
  schemas.set(message, {
    type: 'object',
    description: descriptionOf(message),
    properties: resource === undefined ? own : { ...typed, ...own },
    ...(resource === undefined ? {} : { 'x-kubernetes-group-version-kind': [{ group, version, kind }] }),
  });
  for (const { type } of fields.values()) addSchemas(schemas, type);
}

function propertyOf(message: string, field: Field): JsonObject {
  const description = descriptionOf(`${message}.${field.name}`);
  const value = scalars[field.type] ?? { allOf: [{ $ref: `#/components/schemas/${field.type}` }] };
  switch (field.shape) {
    case 'list':
      return { description, type: 'array', items: value };
    case 'map':
      return { description, type: 'object', additionalProperties: value };
    case 'one':
      return { description, ...value };
  }
}

/** `api/v1` or `apis/apps/v1`. */
function rootOf(at: { group: string; version: string }): string {
  return at.group === '' ? `api/${at.version}` : `apis/${apiVersionOf(at)}`;
}
