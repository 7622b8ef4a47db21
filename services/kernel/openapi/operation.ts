/** One method of the API as an OpenAPI operation: where its fields travel, what it takes besides, how it answers. */
import type { DescField, DescService, JsonObject } from '@bufbuild/protobuf';
import { fieldSchema, isRequired } from '@clustral/schemas/openapi.ts';
import type { Route } from '@clustral/schemas/services.ts';
import { positionHeader } from '@clustral/schemas/tokens.ts';
import { answersOf } from './answers.ts';
import type { Components } from './components.ts';

/** Headers that many operations take. */
export const sharedParameters: JsonObject = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'Makes the command happen once, however often it is sent within 24 hours with the same key and body.',
    schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
  },
  AtLeastPosition: {
    name: positionHeader,
    in: 'header',
    description: 'A log position that the answer must include: that of a command whose effect is to be seen.',
    schema: { type: 'string', pattern: '^[0-9]{1,18}$' },
  },
};

/** The operation of a route. */
export function operationOf(route: Route, components: Components): JsonObject {
  const { method, service, callers, isBeta } = route;
  const description = components.comments[`${service.typeName}.${method.name}`] ?? '';
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const rest = method.input.fields.filter(({ jsonName }) => !inPath.includes(jsonName));
  return {
    operationId: method.localName,
    tags: [tagOf(service)],
    summary: description.split(/(?<=\.)\s|[:;]\s/)[0] ?? '',
    description,
    ...(callers === 'anyone' ? { security: [] } : {}),
    parameters: parametersOf(route, { inPath, rest }, components),
    ...(takesBody(route) && rest.length > 0 ? { requestBody: bodyOf(route, { inPath, rest }, components) } : {}),
    responses: answersOf(route, { hasInput: method.input.fields.length > 0, takesBody: takesBody(route) }, components),
    'x-callers': callers,
    ...(isBeta ? { 'x-stability': 'beta' } : {}),
  };
}

const takesBody = ({ verb }: Route): boolean => verb !== 'GET' && verb !== 'DELETE';

type Fields = { readonly inPath: readonly string[]; readonly rest: readonly DescField[] };

function parametersOf(route: Route, { inPath, rest }: Fields, components: Components): JsonObject[] {
  const named = (field: DescField, place: 'path' | 'query'): JsonObject => {
    const { description, ...schema } = fieldSchema(field, 'sent', components);
    return {
      name: field.jsonName,
      in: place,
      ...(place === 'path' || isRequired(field, 'sent') ? { required: true } : {}),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  };
  return [
    ...route.method.input.fields
      .filter(({ jsonName }) => inPath.includes(jsonName))
      .map((field) => named(field, 'path')),
    ...(takesBody(route) ? [] : rest.map((field) => named(field, 'query'))),
    ...(route.command ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ...(route.callers === 'anyone' || route.command ? [] : [{ $ref: '#/components/parameters/AtLeastPosition' }]),
  ];
}

const bodyOf = (route: Route, { inPath, rest }: Fields, components: Components): JsonObject => ({
  required: rest.some((field) => isRequired(field, 'sent')),
  content: { 'application/json': { schema: components.bodyOf(route, inPath) } },
});

/** `ClusterService` → `Cluster`. */
export const tagOf = ({ name }: Pick<DescService, 'name'>): string => name.replace(/Service$/, '');
