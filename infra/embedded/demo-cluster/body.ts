/**
 * Reads a request's body in the formats kubectl sends: JSON, YAML and Kubernetes' protobuf. The result is plain data;
 * conform.ts makes an object of a kind of it.
 */
import { parse as parseYaml } from 'yaml';
import { conform } from './conform.ts';
import type { Exchange } from './exchange.ts';
import type { JsonObject } from './objects.ts';
import { decodeProtobuf, protobufType } from './protobuf.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

/** The content type of the body without its parameters, in lower case. */
export function mediaTypeOf(exchange: Exchange): string {
  return (exchange.header('content-type').split(';')[0] ?? '').trim().toLowerCase();
}

/**
 * The body as data; undefined when there is none.
 * @throws ApiError 400 for text that cannot be read, 415 for another format
 */
export async function readData(exchange: Exchange): Promise<unknown> {
  const type = mediaTypeOf(exchange);
  const body = await exchange.body();
  if (body.length === 0) return undefined;
  switch (type) {
    case protobufType:
      return decodeProtobuf(body);
    case 'application/yaml':
    case 'application/apply-patch+yaml':
      return readYaml(body.toString());
    case '':
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return readJson(body.toString());
    default:
      throw unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: ' +
          `application/json, application/yaml, ${protobufType}`,
      );
  }
}

/**
 * The body as an object of a kind that is not stored (a review, a Scale, DeleteOptions); fields it does not have are
 * left out.
 */
export async function readAs(exchange: Exchange, expected: { apiVersion: string; kind: string }): Promise<JsonObject> {
  return conform(await readData(exchange), expected).object;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badRequest('the body of the request is no JSON');
  }
}

/** kubectl sends JSON under the name of YAML, which JSON is; reading it as JSON is many times faster. */
function readYaml(text: string): unknown {
  if (text.startsWith('{')) return readJson(text);
  try {
    return parseYaml(text) as unknown;
  } catch {
    throw badRequest('the body of the request is no YAML');
  }
}
