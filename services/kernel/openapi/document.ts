/**
 * The description of the REST face: OpenAPI 3.1, made from the table of methods, the descriptors and the error catalogue that
 * the server itself runs on. It is built once; it holds nothing of this installation but its version.
 */
import type { DescService, JsonObject } from '@bufbuild/protobuf';
import { comments } from '@clustral/schemas/gen/comments.ts';
import { routesOf } from '@clustral/schemas/services.ts';
import { answerHeaders, problemSchema, refusalOf } from './answers.ts';
import { Components } from './components.ts';
import { operationOf, sharedParameters, tagOf } from './operation.ts';

/** The document. `version` is that of the product. */
export function openApiDocument(services: readonly DescService[], version: string): JsonObject {
  const components = new Components(refusalOf);
  const paths: Record<string, JsonObject> = {};
  for (const route of routesOf(services)) {
    const { path, verb } = route;
    paths[path] = { ...paths[path], [verb.toLowerCase()]: operationOf(route, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Clustral',
      version,
      summary: 'Short-lived, audited access to Kubernetes clusters.',
      description:
        'The REST face of the admin API. Every method is there as a Connect method too, by its name in the schema. ' +
        'Lists come in pages: send `nextPageToken` back as `pageToken` until it is empty. ' +
        'A command sent again with the same `Idempotency-Key` within 24 hours happens once and is answered alike.',
    },
    servers: [{ url: '/' }],
    security: [{ accessToken: [] }],
    tags: tagsOf(services),
    paths,
    components: {
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token of the OpenID Connect provider that the installation names.',
        },
      },
      parameters: sharedParameters,
      headers: answerHeaders,
      schemas: { Problem: problemSchema, ...components.schemas() },
      responses: components.responses(),
    },
  };
}

const tagsOf = (services: readonly DescService[]): JsonObject[] =>
  services.map((service) => ({ name: tagOf(service), description: comments[service.typeName] ?? '' }));
