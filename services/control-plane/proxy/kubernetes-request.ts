/**
 * Reads what a request is about out of its method and target, by the rules of the API server's own request info
 * (k8s.io/apiserver, endpoints/request/requestinfo.go). It decides nothing about access. What it cannot place with
 * certainty is `recognised: false`, which the audit treats as strictly as a write (D12).
 */
import type { KubernetesRequest } from '@clustral/schemas/events/proxy.ts';
import { decodeOnce } from './path.ts';
import { streamTarget } from './stream-target.ts';

const readVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
/** Parts of a pod that open a stream into it: recorded as `create` whichever method opened it (UP-08). */
const streamParts: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward']);
/** Paths under a namespace's name that belong to the namespace itself. */
const namespaceParts: ReadonlySet<string> = new Set(['status', 'finalize']);
/** First segments of the API server's plain paths. */
const plainRoots: ReadonlySet<string> = new Set([
  '',
  'api',
  'apis',
  'version',
  'healthz',
  'livez',
  'readyz',
  'metrics',
  'openapi',
  'openid',
  '.well-known',
  'logs',
]);
/** A path segment as Kubernetes names things; verbs and resources are narrower still. */
const segmentForm = /^[A-Za-z0-9._:~+@=,-]{1,253}$/;
const resourceForm = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/**
 * Parses the first line of a request.
 * @param target the target for the API server, as sent, one char per byte
 */
export function parseKubernetesRequest(method: string, target: string): KubernetesRequest {
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? '' : target.slice(cut + 1));
  const found = placed(method, path, query);
  return { ...found, method, path: storedPath(target), ...streamTarget(found.subresource, query) };
}

/** True when the request must be on record before it goes out (D12). */
export function isStrict(request: KubernetesRequest): boolean {
  const { resource, subresource } = request;
  if (!request.recognised || !readVerbs.has(request.verb)) return true;
  if (resource === 'secrets') return true;
  if (resource === 'serviceaccounts' && subresource === 'token') return true;
  return subresource !== null && (subresource === 'proxy' || streamParts.has(subresource));
}

/** True below a `…/proxy` subresource, where the answer is a service's and not the API server's (D37). */
export function isServiceProxy(request: KubernetesRequest): boolean {
  return request.subresource === 'proxy';
}

type Placed = Omit<KubernetesRequest, 'method' | 'path'>;

const nothing = { group: null, version: null, resource: null, subresource: null, namespace: null, name: null };

function placed(method: string, path: string, query: URLSearchParams): Placed {
  // The API server splits the decoded path, so an escaped slash divides segments there; to us that is odd.
  const odd = /^\/\/|%(?:2f|5c|[01][0-9a-f]|7f)|%(?![0-9a-f]{2})|\\|;/i.test(path);
  const segments = trimmed(decodeOnce(path).split('/'));
  const [root = '', ...rest] = segments;
  const isResource = (root === 'api' && rest.length >= 2) || (root === 'apis' && rest.length >= 3);
  if (!isResource) {
    const verb = method.toLowerCase();
    const known = plainRoots.has(root) && (method === 'GET' || method === 'HEAD');
    return { ...nothing, verb: known ? 'get' : verb, recognised: known && !odd && !segments.slice(1).includes('') };
  }
  const [group = '', version = '', ...parts] = root === 'api' ? ['', ...rest] : rest;
  const resource = withinVersion(method, parts, query);
  const clean = !odd && rest.every((segment) => segmentForm.test(segment));
  return { ...resource, group, version, recognised: resource.recognised && clean };
}

/** Without the empty segments at both ends, as the API server splits a path. */
function trimmed(segments: readonly string[]): readonly string[] {
  const last = segments.findLastIndex((segment) => segment !== '');
  const first = segments.findIndex((segment) => segment !== '');
  return first < 0 ? [''] : segments.slice(first, last + 1);
}

type Within = Omit<Placed, 'group' | 'version'>;

function withinVersion(method: string, parts: readonly string[], query: URLSearchParams): Within {
  const [first, second] = parts;
  // `/api/v1/watch/…` is the old spelling of `?watch=1`; `/api/v1/proxy/…` has been gone since Kubernetes 1.10.
  if (first === 'watch') {
    return { ...placeOf(parts.slice(1)), verb: 'watch', recognised: method === 'GET' && second !== undefined };
  }
  if (first === 'proxy') return { ...placeOf(parts.slice(1)), verb: 'connect', recognised: false };
  const place = placeOf(parts);
  const verb = verbOf(method, place, query);
  const known = verb !== undefined && place.resource !== null && resourceForm.test(place.resource);
  const listed = place.name === null && (verb === 'list' || verb === 'watch') ? nameInSelector(query) : null;
  return { ...place, name: place.name ?? listed, verb: verb ?? method.toLowerCase(), recognised: known };
}

type Place = Pick<KubernetesRequest, 'resource' | 'subresource' | 'namespace' | 'name'>;

function placeOf(parts: readonly string[]): Place {
  const [first, second, third] = parts;
  if (first !== 'namespaces' || second === undefined) return named(null, parts);
  const inside = third !== undefined && !namespaceParts.has(third);
  return inside ? named(second, parts.slice(2)) : named(second, parts);
}

function named(namespace: string | null, [resource, name, subresource]: readonly string[]): Place {
  return { namespace, resource: resource ?? null, name: name ?? null, subresource: subresource ?? null };
}

function verbOf(method: string, place: Place, query: URLSearchParams): string | undefined {
  if (place.subresource === 'proxy') return 'connect';
  const opensStream = place.subresource !== null && streamParts.has(place.subresource);
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (opensStream) return 'create';
      if (place.name !== null) return 'get';
      return isWatch(query) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return place.name === null ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}

/** Kubernetes' reading of a boolean parameter: absent, `false` and `0` are false, all else, even empty, is true. */
function isWatch(query: URLSearchParams): boolean {
  const value = query.get('watch');
  return value !== null && value.toLowerCase() !== 'false' && value !== '0';
}

/** A list of one name is a request about that name. */
function nameInSelector(query: URLSearchParams): string | null {
  const name = /(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1];
  return name !== undefined && segmentForm.test(name) ? name : null;
}

const longestPath = 1024;
const tokenNames: ReadonlySet<string> = new Set(['token', 'access_token']);

/** The target as it may be stored: token values removed (PX-22), plain ASCII, at most 1,024 characters. */
export function storedPath(target: string): string {
  const cut = target.indexOf('?');
  const scrubbed = cut < 0 ? target : target.slice(0, cut + 1) + withoutTokens(target.slice(cut + 1));
  return scrubbed.replace(/[^\x21-\x7e]/g, percentEncoded).slice(0, longestPath);
}

// Both separators: the one that a service behind `…/proxy` reads is not known here.
function withoutTokens(query: string): string {
  return query
    .split(/([&;])/)
    .map((pair) => {
      const [name = ''] = pair.split('=', 1);
      return tokenNames.has(decodeOnce(name).toLowerCase()) && name !== pair ? `${name}=` : pair;
    })
    .join('');
}

const percentEncoded = (char: string): string =>
  `%${(char.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
