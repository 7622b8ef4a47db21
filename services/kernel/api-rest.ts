/**
 * The REST face of the admin API, made from the schema's rules: path fields, query and JSON body become the request
 * message, the same handler as for Connect answers it. No route is written by hand.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DescField, DescMessage, JsonValue, Message } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { Refusal } from '@clustral/schemas/errors.ts';
import { fromRestJson, toRestJson } from '@clustral/schemas/rest-json.ts';
import { routesOf, type Route } from '@clustral/schemas/services.ts';
import type { AnyHandler, Implementation } from './api.ts';
import { runCall, type ApiOptions } from './api-call.ts';

/** Registers the REST routes of the implementations. */
export function registerRest(
  app: FastifyInstance,
  implementations: readonly Implementation[],
  options: ApiOptions,
): void {
  const paths = new Map<string, Set<string>>();
  for (const { service, handlers } of implementations) {
    for (const route of routesOf([service])) {
      const handler = handlers[route.method.localName];
      if (!handler) throw new Error(`${service.typeName}/${route.method.name} has no handler`);
      const path = route.path.replace(/\{(\w+)\}/g, ':$1');
      app.route({
        method: route.verb,
        url: path,
        handler: (request, reply) => answer({ request, reply, route, options, handler }),
      });
      paths.set(path, (paths.get(path) ?? new Set()).add(route.verb));
    }
  }
  for (const [path, verbs] of paths) refuseOtherMethods(app, path, [...verbs]);
}

type Exchange = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly route: Route;
  readonly options: ApiOptions;
  readonly handler: AnyHandler;
};

async function answer({ request, reply, route, options, handler }: Exchange): Promise<void> {
  const result = await runCall(
    { options, route, headers: request.headers, correlation: request.correlation, signal: signalOf(reply) },
    (call) => handler(messageOf(route, request) as never, call),
  );
  reply.headers(result.headers);
  reply.header('cache-control', 'no-store');
  if (route.status === 204) return void (await reply.status(204).send());
  const { output } = route.method;
  await reply.status(route.status).send(toRestJson(output, create(output, result.message)));
}

function messageOf(route: Route, request: FastifyRequest): Message {
  const { input } = route.method;
  const json: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
    // A filter that is dropped finds more than was asked for, so a name that is not known is refused (ES-07).
    if (!input.fields.some(({ jsonName }) => jsonName === name)) throw unknownParameter(name);
    setText(json, input, { name, value });
  }
  Object.assign(json, bodyOf(input, request.body));
  // Last, so that a body cannot name another resource than the path.
  for (const [name, value] of Object.entries(request.params as Record<string, string>))
    setText(json, input, { name, value });
  try {
    return fromRestJson(input, json);
  } catch (cause) {
    const field = Object.keys(json).find((name) => !fits(input, { [name]: json[name] ?? null }));
    throw new Refusal(
      'VALIDATION_ERROR',
      `The request does not fit ${input.name}: ${(cause as Error).message.slice(0, 200)}`,
      field === undefined ? {} : { field },
    );
  }
}

/** The fields of the body by their JSON names: protobuf takes a field's other name too, and with both the last would win. */
function bodyOf(input: DescMessage, body: unknown): Record<string, JsonValue> {
  if (body === undefined) return {};
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw new Refusal('VALIDATION_ERROR', 'The body must be a JSON object.');
  const jsonNames = new Map(input.fields.map(({ name, jsonName }) => [name, jsonName]));
  const fields = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(body as Record<string, JsonValue>)) {
    const jsonName = jsonNames.get(name) ?? name;
    if (fields.has(jsonName)) throw namedTwice(jsonName);
    fields.set(jsonName, value);
  }
  return Object.fromEntries(fields);
}

const namedTwice = (name: string): Refusal =>
  new Refusal('BAD_REQUEST', `The body names ${JSON.stringify(name.slice(0, 60))} twice. Send each field once.`);

function fits(input: DescMessage, json: JsonValue): boolean {
  try {
    fromRestJson(input, json);
    return true;
  } catch {
    // What is wrong was said before; here it is only asked where.
    return false;
  }
}

function unknownParameter(name: string): Refusal {
  const shown = name.slice(0, 60);
  return new Refusal('VALIDATION_ERROR', `There is no parameter ${JSON.stringify(shown)} here.`, { field: shown });
}

function setText(
  json: Record<string, JsonValue>,
  input: DescMessage,
  { name, value }: { name: string; value: unknown },
): void {
  const field = input.fields.find(({ jsonName }) => jsonName === name);
  if (!field) return;
  if (typeof value !== 'string')
    throw new Refusal('VALIDATION_ERROR', `'${name}' may be given once only.`, { field: name });
  if (value === '' && isInstant(field)) return;
  json[name] =
    field.scalar !== undefined && /^(true|false)$/.test(value) && isBoolean(field) ? value === 'true' : value;
}

// ScalarType.BOOL is 8 in protobuf's descriptor numbering.
const isBoolean = (field: DescField): boolean => Number(field.scalar) === 8;
const isInstant = (field: DescField): boolean => field.message?.typeName === 'google.protobuf.Timestamp';

/** Methods that fastify's router knows; others are refused before it. */
const answeredMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

function refuseOtherMethods(app: FastifyInstance, path: string, verbs: readonly string[]): void {
  const others = answeredMethods.filter((verb) => !verbs.includes(verb));
  app.route({
    method: others,
    url: path,
    handler: (_request, reply) => {
      reply.header('allow', verbs.join(', '));
      throw new Refusal('METHOD_NOT_ALLOWED', `Only ${verbs.join(', ')} is answered here.`);
    },
  });
}

// By the response: a request closes when it was read, and one without a body not at all.
function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
