/**
 * The way of every request: who asks, what is asked, may they, and which handler answers. It is also the only place
 * where a refusal becomes an answer; what is no refusal is a fault of ours, logged and answered without its text.
 *
 * Invariant: no handler runs before the authorizer has said yes.
 */
import { callerOf } from './authenticate.ts';
import type { Call, Cluster } from './call.ts';
import type { Exchange } from './exchange.ts';
import { answerPlainPath } from './plain-paths.ts';
import { answerLog } from './pod-log.ts';
import { type Attributes, authorize, refusalSentence, type User } from './rbac.ts';
import { getObject, listObjects } from './read.ts';
import { answerAttach } from './remote/attach.ts';
import { answerExec } from './remote/exec.ts';
import { answerPortForward } from './remote/port-forward.ts';
import { parseRequest, type RequestInfo, type ResourcePath } from './request-info.ts';
import { findResource, isStored, type Resource } from './resources.ts';
import { answerReview } from './reviews.ts';
import { serveScale } from './scale.ts';
import {
  ApiError,
  forbidden,
  forbiddenPath,
  internalError,
  methodNotAllowed,
  notImplemented,
  unknownPath,
} from './status.ts';
import { watchObjects } from './watch.ts';
import { createObject, patchObject, removeObject, removeObjects, updateObject } from './write.ts';

type Handler = (call: Call) => Promise<void> | void;

const objectHandlers: Record<string, Handler> = {
  get: getObject,
  list: listObjects,
  watch: watchObjects,
  create: createObject,
  update: updateObject,
  patch: patchObject,
  delete: removeObject,
  deletecollection: removeObjects,
};

const partHandlers: Record<string, Handler> = {
  log: answerLog,
  scale: serveScale,
  // The status of an object is read and written like the object; admission keeps the two apart.
  status: (call) => objectHandlers[call.info.verb]?.(call),
  finalize: updateObject,
  exec: answerExec,
  attach: answerAttach,
  portforward: answerPortForward,
  token: missing('issue service account tokens'),
};

/** Answers one request, whatever happens. */
export async function handle(exchange: Exchange, cluster: Cluster, serviceAccountToken: string): Promise<void> {
  try {
    exchange.setHeader('audit-id', auditId(exchange, cluster));
    exchange.setHeader('cache-control', 'no-cache, private');
    const user = callerOf(exchange, serviceAccountToken, (attributes) => demand(cluster, attributes));
    const info = parseRequest(exchange.method, exchange.target);
    demand(cluster, attributesOf(user, info));
    if (info.resource === undefined) answerPlainPath(exchange, info.path, info.query);
    else await route({ exchange, cluster, user, info, at: info.resource });
  } catch (error) {
    refuse(exchange, cluster, error);
  }
}

async function route(given: Omit<Call, 'resource' | 'may'> & { at: ResourcePath }): Promise<void> {
  const { at, info, cluster, user } = given;
  const resource = findResource(at);
  if (resource === undefined || !scopeFits(resource, at, info.verb)) throw unknownPath();
  const handler = handlerOf(resource, at, info);
  const may: Call['may'] = (verb, other) => authorize(cluster.store, { user, verb, resource: other ?? at });
  await handler({ ...given, resource, may });
}

function handlerOf(resource: Resource, at: ResourcePath, { verb }: RequestInfo): Handler {
  if (at.subresource !== undefined) {
    const part = resource.subresources.find(({ name }) => name === at.subresource);
    const handler = partHandlers[at.subresource];
    if (part === undefined || handler === undefined) throw unknownPath();
    if (!part.verbs.includes(verb)) throw methodNotAllowed();
    return handler;
  }
  const handler = isStored(resource) ? objectHandlers[verb] : answerReview;
  const addressed = at.name !== undefined;
  const fits = resource.verbs.includes(verb) && (verb !== 'create' || !addressed);
  if (handler === undefined || !fits || (['update', 'patch'].includes(verb) && !addressed)) throw methodNotAllowed();
  return handler;
}

/** Objects with a namespace are addressed under it, the others never are; all namespaces can be listed at once. */
function scopeFits(resource: Resource, { namespace, plural }: ResourcePath, verb: string): boolean {
  if (resource.namespaced) return namespace !== undefined || ['list', 'watch'].includes(verb);
  return namespace === undefined || plural === 'namespaces';
}

function demand(cluster: Cluster, attributes: Attributes): void {
  if (authorize(cluster.store, attributes).allowed) return;
  const sentence = refusalSentence(attributes);
  const { resource } = attributes;
  if (resource === undefined) throw forbiddenPath(sentence);
  throw forbidden({ group: resource.group, plural: resource.plural, name: resource.name ?? '' }, sentence);
}

function attributesOf(user: User, { verb, path, resource }: RequestInfo): Attributes {
  return resource === undefined ? { user, verb, path } : { user, verb, resource };
}

function refuse(exchange: Exchange, cluster: Cluster, error: unknown): void {
  const known = error instanceof ApiError;
  if (!known && !exchange.signal.aborted) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    cluster.log('error', 'a request to the demo cluster failed', { method: exchange.method, stack });
  }
  if (exchange.answered || exchange.signal.aborted) return exchange.end();
  const refusal = known ? error : internalError();
  const seconds = refusal.details?.['retryAfterSeconds'];
  if (typeof seconds === 'number') exchange.setHeader('retry-after', String(seconds));
  exchange.json(refusal.code, refusal.status());
}

/** The client's id when it is usable as a header, one of ours otherwise, as the API server does. */
function auditId(exchange: Exchange, cluster: Cluster): string {
  const given = exchange.header('audit-id');
  return /^[\x21-\x7e]{1,128}$/.test(given) ? given : cluster.world.uid();
}

function missing(what: string): Handler {
  return () => {
    throw notImplemented(`this demo cluster is a stand-in and cannot ${what}; connect a real cluster for that`);
  };
}
