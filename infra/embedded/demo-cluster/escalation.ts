/**
 * Nobody gives away more than they have: whoever writes a role must hold every rule in it, whoever writes a binding
 * every rule of its role, unless a rule lets them `escalate` or `bind` (Kubernetes' own safeguard).
 */
import type { Call } from './call.ts';
import { type KubeObject, textAt } from './objects.ts';
import { boundRole, type PolicyRule, rulesIn, rulesOf } from './rbac.ts';
import { forbidden } from './status.ts';

/** A rule of more combinations is not taken apart; it counts as not held. */
const maxCombinations = 10_000;

/** @throws ApiError 403 when the object would grant what its writer does not hold */
export function checkEscalation(call: Call, object: KubeObject): void {
  const wanted = rulesGranted(call, object);
  if (wanted.length === 0) return;
  const bindable = { group: call.resource.group, version: 'v1', plural: 'clusterroles' };
  const exempt = object.kind.endsWith('Binding')
    ? call.may('bind', { ...bindable, name: textAt(object, 'roleRef', 'name') }).allowed
    : call.may('escalate').allowed;
  if (exempt) return;
  const held = rulesOf(call.cluster.store, call.user, object.metadata.namespace ?? '');
  const isHeld = (rule: PolicyRule): boolean =>
    combinations(rule) <= maxCombinations && singles(rule).every((one) => held.some((own) => includes(own, one)));
  const missing = wanted.filter((rule) => !isHeld(rule));
  if (missing.length === 0) return;
  const { group, plural } = call.resource;
  throw forbidden(
    { group, plural, name: object.metadata.name },
    `user ${JSON.stringify(call.user.name)} (groups=${JSON.stringify(call.user.groups)}) is attempting to grant ` +
      `RBAC permissions not currently held: ${JSON.stringify(missing)}`,
  );
}

function rulesGranted(call: Call, object: KubeObject): PolicyRule[] {
  switch (object.kind) {
    case 'Role':
    case 'ClusterRole':
      return rulesIn(object);
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return rulesIn(boundRole(call.cluster.store, object));
    default:
      return [];
  }
}

function combinations({ verbs, apiGroups, resources, nonResourceURLs }: PolicyRule): number {
  return verbs.length * (apiGroups.length * resources.length + nonResourceURLs.length);
}

/** One verb on one resource (or path) each. */
function singles(rule: PolicyRule): PolicyRule[] {
  return rule.verbs.flatMap((verb) => [
    ...rule.apiGroups.flatMap((group) =>
      rule.resources.map((resource) => ({
        ...rule,
        verbs: [verb],
        apiGroups: [group],
        resources: [resource],
        nonResourceURLs: [],
      })),
    ),
    ...rule.nonResourceURLs.map((path) => ({ ...rule, verbs: [verb], resources: [], nonResourceURLs: [path] })),
  ]);
}

function includes(own: PolicyRule, single: PolicyRule): boolean {
  const has = (list: readonly string[], items: readonly string[]): boolean =>
    list.includes('*') || items.every((item) => list.includes(item));
  const names = own.resourceNames.length === 0;
  const namesFit = names || (single.resourceNames.length > 0 && has(own.resourceNames, single.resourceNames));
  if (!has(own.verbs, single.verbs) || !namesFit) return false;
  if (single.nonResourceURLs.length > 0) return has(own.nonResourceURLs, single.nonResourceURLs);
  return has(own.apiGroups, single.apiGroups) && has(own.resources, single.resources);
}
