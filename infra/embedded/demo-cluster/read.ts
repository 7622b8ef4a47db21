/**
 * GET: one object or a list of them, in the form the client asked for. A long list comes in pages when the client
 * sets a limit; the token of the next page says where the last one ended.
 */
import type { Call } from './call.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { wholeNumber } from './request-info.ts';
import { apiVersionOf } from './resources.ts';
import { selectionOf } from './selectors.ts';
import { ApiError, badRequest, expired } from './status.ts';
import { contentTypeOf, formOf, metadataOf, rowObjectOf, tableOf } from './table.ts';

/** Answers with one object. */
export function getObject(call: Call): void {
  const { cluster, resource, at } = call;
  answerObject(call, 200, cluster.store.need({ resource, namespace: placeNamespace(call), name: at.name ?? '' }));
}

/** Answers with one object in the form the request accepts. */
export function answerObject({ exchange, info, resource, cluster }: Call, code: number, object: KubeObject): void {
  const form = formOf(exchange.header('accept'));
  if (form === 'object') return exchange.json(code, object);
  if (form === 'metadata') return exchange.json(code, metadataOf(object), contentTypeOf(form));
  const list = { resourceVersion: object.metadata.resourceVersion };
  const options = { kind: resource.kind, now: cluster.world.now(), rowObject: rowObjectOf(info.query), list };
  exchange.json(code, tableOf([object], options), contentTypeOf(form));
}

/** Answers with the selected objects of a resource. */
export function listObjects(call: Call): void {
  const { exchange, info, resource, cluster } = call;
  checkRevision(call);
  const selected = selectedObjects(call);
  const { page, list } = pageOf(call, selected);
  const form = formOf(exchange.header('accept'));
  if (form === 'table') {
    const options = { kind: resource.kind, now: cluster.world.now(), rowObject: rowObjectOf(info.query), list };
    return exchange.json(200, tableOf(page, options), contentTypeOf(form));
  }
  if (form === 'metadata') {
    const body = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: list };
    return exchange.json(200, { ...body, items: page.map(metadataOf) }, contentTypeOf(form));
  }
  exchange.json(200, { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata: list, items: page });
}

/** The objects a list, watch or collective deletion is about. */
export function selectedObjects(call: Call): KubeObject[] {
  const { info, resource, cluster } = call;
  return cluster.store.list(resource, placeNamespace(call)).filter(selectionOf(info.query, resource));
}

/** The namespace objects are stored under; cluster-wide kinds have none, whatever the path says. */
export function placeNamespace({ at, resource }: Call): string | undefined {
  return resource.namespaced ? at.namespace : undefined;
}

/** A revision the store has not reached cannot be waited for: the client has seen another cluster. */
function checkRevision({ info, cluster }: Call): void {
  const wanted = wholeNumber(info.query, 'resourceVersion') ?? 0;
  if (wanted <= cluster.store.revision) return;
  throw new ApiError(504, 'Timeout', {
    message: `Too large resource version: ${wanted}, current: ${cluster.store.revision}`,
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
  });
}

function pageOf(call: Call, selected: readonly KubeObject[]): { page: readonly KubeObject[]; list: JsonObject } {
  const resourceVersion = String(call.cluster.store.revision);
  const limit = wholeNumber(call.info.query, 'limit') ?? 0;
  const token = call.info.query.get('continue') ?? '';
  const last = token === '' ? '' : readToken(token);
  const rest = last === '' ? selected : selected.filter((object) => keyOf(object) > last);
  const page = limit === 0 ? rest : rest.slice(0, limit);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { page, list: { resourceVersion } };
  const list = { resourceVersion, continue: writeToken(keyOf(end)), remainingItemCount: rest.length - page.length };
  return { page, list };
}

function keyOf({ metadata: { namespace, name } }: KubeObject): string {
  return `${namespace ?? ''}/${name}`;
}

function writeToken(key: string): string {
  return Buffer.from(JSON.stringify({ after: key })).toString('base64url');
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  const after = /^\{"after":("[^"\\]*")\}$/.exec(text)?.[1];
  if (after === undefined) throw badRequest('continue key is not valid');
  if (after.length > 1000) throw expired('The provided continue parameter is too old');
  return JSON.parse(after) as string;
}
