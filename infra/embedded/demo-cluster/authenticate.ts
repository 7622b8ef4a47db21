/**
 * Who is asking. One bearer token exists, the agent's service account's; every other caller is answered 401. Whoever
 * holds it may speak as another user by Kubernetes' impersonation headers, if the ClusterRole of the service account
 * allows that name.
 *
 * Invariant: rights are always looked up for the user of the answer, never for the one who carried the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange } from './exchange.ts';
import { agentUserName } from './identity.ts';
import type { Attributes, User } from './rbac.ts';
import { decodePercent } from './request-info.ts';
import { ApiError, unauthorized } from './status.ts';

const authenticated = 'system:authenticated';
const serviceAccountPrefix = 'system:serviceaccount:';
const extraPrefix = 'impersonate-extra-';

/**
 * The user a request acts as.
 * @param authorize must throw when the attributes are not allowed
 * @throws ApiError 401 for no or a wrong token, 403 for an impersonation that is not allowed
 */
export function callerOf(
  exchange: Exchange,
  serviceAccountToken: string,
  authorize: (attributes: Attributes) => void,
): User {
  const bearer = /^Bearer +(\S+)$/i.exec(exchange.header('authorization'))?.[1];
  if (bearer === undefined || !sameSecret(bearer, serviceAccountToken)) throw unauthorized();
  const agent = serviceAccountUser(agentUserName);
  const wanted = impersonated(exchange);
  if (wanted === undefined) return agent;
  for (const resource of impersonationTargets(wanted)) authorize({ user: agent, verb: 'impersonate', resource });
  return completed(wanted);
}

/** A service account as a user, with the groups Kubernetes gives it. */
function serviceAccountUser(name: string): User {
  const namespace = name.slice(serviceAccountPrefix.length).split(':')[0] ?? '';
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticated];
  return { name, groups, extra: {} };
}

function impersonated(exchange: Exchange): User | undefined {
  const name = exchange.header('impersonate-user');
  const groups = exchange.headerValues('impersonate-group');
  const uid = exchange.header('impersonate-uid');
  const extra = Object.fromEntries(
    exchange
      .headerNames(extraPrefix)
      .map((header) => [decodePercent(header.slice(extraPrefix.length)), exchange.headerValues(header)]),
  );
  if (name !== '') return { name, groups, extra, ...(uid === '' ? {} : { uid }) };
  if (groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return undefined;
  throw new ApiError(500, 'InternalError', {
    message: 'Internal error occurred: groups, uid or extra were to be impersonated without impersonating a user',
  });
}

function impersonationTargets(user: User): NonNullable<Attributes['resource']>[] {
  const authentication = { group: 'authentication.k8s.io', version: 'v1' };
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user.name) ?? [];
  const who =
    namespace !== undefined && account !== undefined
      ? { group: '', version: 'v1', plural: 'serviceaccounts', namespace, name: account }
      : { group: '', version: 'v1', plural: 'users', name: user.name };
  return [
    who,
    ...user.groups.map((name) => ({ group: '', version: 'v1', plural: 'groups', name })),
    ...(user.uid === undefined ? [] : [{ ...authentication, plural: 'uids', name: user.uid }]),
    ...Object.entries(user.extra).flatMap(([key, values]) =>
      values.map((name) => ({ ...authentication, plural: 'userextras', subresource: key, name })),
    ),
  ];
}

/** Kubernetes adds the groups that everybody, and every service account, belongs to. */
function completed(user: User): User {
  const own =
    user.groups.length === 0 && user.name.startsWith(serviceAccountPrefix)
      ? serviceAccountUser(user.name).groups
      : user.groups;
  const groups = own.includes(authenticated) || user.name === 'system:anonymous' ? own : [...own, authenticated];
  return { ...user, groups };
}

/** Compares digests: equal length whatever was sent, and time that tells nothing. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
