/**
 * The routing table (behaviour.md 6): which service a request target belongs to. It works on the raw path, exactly and
 * case-sensitively, and changes nothing in it. A path that only looks like a protected one (other case, doubled slash,
 * percent-encoded letters) goes nowhere, and costs a sign-in like the one it looks like: never weaker than the canonical.
 */
import { Refusal } from '@clustral/schemas/errors.ts';
import { adminServices, routesOf } from '@clustral/schemas/services.ts';

export type Route =
  /** The kubectl path: kubeconfig tokens only, plain-text answers, own code. */
  | { readonly kind: 'proxy' }
  /** Health, answered by the gateway itself. */
  | { readonly kind: 'own' }
  /** The admin API: people's access tokens only, unless `anonymous`. `path` is what the service is asked. */
  | {
      readonly kind: 'api';
      readonly upstream: 'controlPlane' | 'audit';
      readonly path: string;
      readonly rpc: boolean;
      readonly anonymous: boolean;
    }
  /** Pages and the browser's session: the web service decides about its own cookie. */
  | { readonly kind: 'web' }
  /** The embedded identity provider, which has its own clients to authenticate. */
  | { readonly kind: 'identityProvider' }
  /** Looks like a protected path and is none. */
  | { readonly kind: 'lookalike' }
  /** Not for anybody outside. */
  | { readonly kind: 'hidden' };

export type RoutesOptions = { readonly identityProvider: boolean };

const own = /^\/(?:gateway\/)?healthz(?:\/|$)/;

// "POST /clustral.v1.SystemService/GetVersion" and its REST path: whatever the schema lets anyone call.
const anonymous = new Set(
  routesOf(adminServices)
    .filter(({ callers }) => callers === 'anyone')
    .flatMap(({ service, method, verb, path }) => [`${verb} ${path}`, `POST /${service.typeName}/${method.name}`]),
);

/** The start of every path that somebody must sign in for, as a look-alike would decode to. */
const protectedStarts = ['/api/v1', '/api/proxy', '/audit-api', '/clustral.v1.', '/internal'];

/** True for the kubectl path, which is served ahead of the router. */
export const isProxyTarget = (target: string): boolean => target.startsWith('/api/proxy/');

/** Where a request goes. Throws `INVALID_PATH` for a path that two readers could understand differently. */
export function routeOf(method: string, target: string, options: RoutesOptions): Route {
  if (isProxyTarget(target)) return { kind: 'proxy' };
  const path = pathOf(target);
  refuseOddPath(path);
  if (own.test(path)) return { kind: 'own' };
  if (path.startsWith('/internal/')) return { kind: 'hidden' };
  if (path.startsWith('/audit-api/'))
    return auditRoute(method, path.slice('/audit-api'.length)) ?? { kind: 'lookalike' };
  const upstream = apiUpstream(path);
  if (upstream) return apiRoute(method, path, upstream);
  if (options.identityProvider && path.startsWith('/realms/')) return { kind: 'identityProvider' };
  return isLookalike(path) ? { kind: 'lookalike' } : { kind: 'web' };
}

/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

function apiUpstream(path: string): 'controlPlane' | 'audit' | undefined {
  if (path.startsWith('/clustral.v1.')) return path.startsWith('/clustral.v1.AuditService/') ? 'audit' : 'controlPlane';
  if (!path.startsWith('/api/v1/')) return undefined;
  return path === '/api/v1/audit' || path.startsWith('/api/v1/audit/') ? 'audit' : 'controlPlane';
}

function auditRoute(method: string, path: string): Route | undefined {
  return apiUpstream(path) === 'audit' ? apiRoute(method, path, 'audit') : undefined;
}

function apiRoute(method: string, path: string, upstream: 'controlPlane' | 'audit'): Route {
  const rpc = path.startsWith('/clustral.v1.');
  return { kind: 'api', upstream, path, rpc, anonymous: anonymous.has(`${method} ${path}`) };
}

function refuseOddPath(path: string): void {
  if (!path.startsWith('/') || /[\\#]/.test(path)) {
    throw new Refusal('INVALID_PATH', "The path must start with '/' and hold neither '\\' nor '#'.");
  }
  const decoded = decodeOnce(path);
  if (/\p{Cc}/u.test(decoded)) throw new Refusal('INVALID_PATH', 'The path holds a control character.');
  // `;` begins parameters in some servers and `\` is a slash in others: both would hide a dot segment from the next one.
  const isDots = (segment: string): boolean => /^\.{1,2}$/.test(segment.split(';')[0] ?? '');
  if (decoded.split(/[/\\]/).some(isDots)) {
    throw new Refusal('INVALID_PATH', "The path holds a '.' or '..' segment. Send it without.");
  }
}

function isLookalike(path: string): boolean {
  const plain = decodeOnce(path)
    .replaceAll('\\', '/')
    .replace(/\/{2,}/g, '/')
    .toLowerCase();
  return (
    protectedStarts.some((start) => plain.startsWith(start) && !/^[a-z0-9]/.test(plain.slice(start.length))) ||
    plain.startsWith('/clustral.v1.')
  );
}

function decodeOnce(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
