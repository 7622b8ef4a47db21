/**
 * Reads what a request is about out of its method and address, the way the Kubernetes API server does: a verb on a
 * resource, or a method on a plain path. It decides nothing; authorization and routing go by its answer.
 */
import { badRequest } from './status.ts';

/** The resource a path names; it may be one the stand-in does not serve. */
export interface ResourcePath {
  group: string;
  version: string;
  plural: string;
  namespace?: string;
  name?: string;
  subresource?: string;
}

/** A request in Kubernetes' terms. */
export interface RequestInfo {
  /** `get`, `list`, `watch`, `create`…; for plain paths the method in lower case. */
  verb: string;
  path: string;
  query: URLSearchParams;
  resource?: ResourcePath;
}

const verbs: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** Second path segments under a namespace's name that belong to the namespace itself. */
const namespaceParts = ['status', 'finalize'];

/**
 * Parses a request's first line.
 * @param target the request target as sent: path and query
 * @throws ApiError 400 for an address that cannot be decoded
 */
export function parseRequest(method: string, target: string): RequestInfo {
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? '' : target.slice(cut + 1));
  const resource = resourcePath(path.split('/').filter(Boolean).map(decodePercent));
  const verb = verbs[method] ?? method.toLowerCase();
  if (resource === undefined) return { verb: method.toLowerCase(), path, query };
  if (resource.name !== undefined || (verb !== 'get' && verb !== 'delete')) return { verb, path, query, resource };
  // A list of one name is a request about that name: a rule with resourceNames covers it.
  const name = /(?:^|,)metadata\.name==?([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
  const about = name === undefined ? resource : { ...resource, name };
  return { verb: collectionVerb(verb, query), path, query, resource: about };
}

/** Whether a query parameter is set to a true value, as Kubernetes reads booleans. */
export function isSet(query: URLSearchParams, name: string): boolean {
  return query.has(name) && !['false', '0'].includes(query.get(name) ?? '');
}

/** A query parameter that must be a whole number of at least zero; undefined when absent. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`invalid value '${text}' for the query parameter ${name}`);
  return Number(text);
}

function collectionVerb(verb: string, query: URLSearchParams): string {
  if (verb === 'delete') return 'deletecollection';
  return isSet(query, 'watch') ? 'watch' : 'list';
}

function resourcePath(segments: readonly string[]): ResourcePath | undefined {
  const [root, ...rest] = segments;
  if (root === 'api' && rest.length >= 2) return withinVersion('', rest[0] ?? '', rest.slice(1));
  if (root === 'apis' && rest.length >= 3) return withinVersion(rest[0] ?? '', rest[1] ?? '', rest.slice(2));
  return undefined;
}

function withinVersion(group: string, version: string, rest: readonly string[]): ResourcePath {
  const [first, second, third] = rest;
  if (first === 'namespaces' && second !== undefined) {
    const inside = third !== undefined && !namespaceParts.includes(third);
    if (inside) return named({ group, version, plural: third, namespace: second }, rest.slice(3));
    return named({ group, version, plural: 'namespaces', namespace: second }, rest.slice(1));
  }
  return named({ group, version, plural: first ?? '' }, rest.slice(1));
}

function named(resource: ResourcePath, rest: readonly string[]): ResourcePath {
  const [name, ...parts] = rest;
  return {
    ...resource,
    ...(name === undefined ? {} : { name }),
    ...(parts.length === 0 ? {} : { subresource: parts.join('/') }),
  };
}

/**
 * Text without percent signs.
 * @throws ApiError 400 when a percent sign encodes nothing
 */
export function decodePercent(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest('the request holds a percent sign that encodes nothing');
  }
}
