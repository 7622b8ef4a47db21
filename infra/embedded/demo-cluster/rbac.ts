/**
 * Who may do what: Kubernetes' role-based access control, read from the roles and bindings in the store at each
 * request, so a binding that somebody creates or deletes counts at once. Members of `system:masters` may do
 * everything, whatever the store says.
 *
 * Rules only allow; nothing denies. The sentences of a refusal are Kubernetes' own.
 */
import { mastersGroup } from './identity.ts';
import { listAt, type KubeObject, textAt } from './objects.ts';
import type { ResourcePath } from './request-info.ts';

/** Who acts. */
export interface User {
  name: string;
  uid?: string;
  groups: string[];
  extra: Record<string, string[]>;
}

/** One question to the authorizer: a verb on a resource, or on a plain path. */
export interface Attributes {
  user: User;
  verb: string;
  resource?: ResourcePath;
  path?: string;
}

/** One rule of a role. */
export interface PolicyRule {
  verbs: readonly string[];
  apiGroups: readonly string[];
  resources: readonly string[];
  resourceNames: readonly string[];
  nonResourceURLs: readonly string[];
}

/** Where roles and bindings are read from. */
export interface RoleSource {
  /** All stored objects of a kind, or those of one namespace. */
  objects(kind: 'ClusterRole' | 'ClusterRoleBinding' | 'Role' | 'RoleBinding', namespace?: string): KubeObject[];
}

export interface Verdict {
  allowed: boolean;
  reason: string;
}

/** Answers one question. */
export function authorize(source: RoleSource, attributes: Attributes): Verdict {
  if (attributes.user.groups.includes(mastersGroup)) return { allowed: true, reason: '' };
  for (const granted of grantsOf(source, attributes.user, attributes.resource?.namespace)) {
    if (covers(granted.rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${granted.by}` };
  }
  return { allowed: false, reason: '' };
}

/** Every rule that a user holds in a namespace (cluster-wide ones included). */
export function rulesOf(source: RoleSource, user: User, namespace: string): PolicyRule[] {
  if (user.groups.includes(mastersGroup)) return [everything];
  return grantsOf(source, user, namespace).map(({ rule }) => rule);
}

/** The rules of a role object. */
export function rulesIn(role: KubeObject | undefined): PolicyRule[] {
  return listAt(role, 'rules').map((rule) => ({
    verbs: texts(rule, 'verbs'),
    apiGroups: texts(rule, 'apiGroups'),
    resources: texts(rule, 'resources'),
    resourceNames: texts(rule, 'resourceNames'),
    nonResourceURLs: texts(rule, 'nonResourceURLs'),
  }));
}

/** The role a binding points at, or undefined when there is none of that name. */
export function boundRole(source: RoleSource, binding: KubeObject): KubeObject | undefined {
  const name = textAt(binding, 'roleRef', 'name');
  const roles =
    textAt(binding, 'roleRef', 'kind') === 'Role'
      ? source.objects('Role', binding.metadata.namespace ?? '')
      : source.objects('ClusterRole');
  return roles.find((role) => role.metadata.name === name);
}

/** Kubernetes' sentence for a question that was answered no. */
export function refusalSentence({ user, verb, resource, path }: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (resource === undefined) return `${who} path ${JSON.stringify(path ?? '')}`;
  const what = resource.subresource === undefined ? resource.plural : `${resource.plural}/${resource.subresource}`;
  const where =
    resource.namespace === undefined
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(resource.namespace)}`;
  return `${who} resource "${what}" in API group "${resource.group}" ${where}`;
}

const everything: PolicyRule = {
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  resourceNames: [],
  nonResourceURLs: ['*'],
};

function grantsOf(source: RoleSource, user: User, namespace: string | undefined): { rule: PolicyRule; by: string }[] {
  const bindings = [
    ...source.objects('ClusterRoleBinding'),
    ...(namespace === undefined ? [] : source.objects('RoleBinding', namespace)),
  ];
  return bindings.flatMap((binding) => {
    const subject = listAt(binding, 'subjects').find((candidate) => isSubject(candidate, user, binding));
    if (subject === undefined) return [];
    const by = bindingSentence(binding, subject);
    return rulesIn(boundRole(source, binding)).map((rule) => ({ rule, by }));
  });
}

function bindingSentence(binding: KubeObject, subject: unknown): string {
  const { name, namespace } = binding.metadata;
  const full = namespace === undefined ? name : `${name}/${namespace}`;
  const role = `${textAt(binding, 'roleRef', 'kind')} "${textAt(binding, 'roleRef', 'name')}"`;
  return `${binding.kind} "${full}" of ${role} to ${textAt(subject, 'kind')} "${textAt(subject, 'name')}"`;
}

function isSubject(subject: unknown, user: User, binding: KubeObject): boolean {
  const name = textAt(subject, 'name');
  switch (textAt(subject, 'kind')) {
    case 'User':
      return user.name === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount': {
      const namespace = textAt(subject, 'namespace') || (binding.metadata.namespace ?? '');
      return user.name === `system:serviceaccount:${namespace}:${name}`;
    }
    default:
      return false;
  }
}

function covers(rule: PolicyRule, { verb, resource, path }: Attributes): boolean {
  if (!holds(rule.verbs, verb)) return false;
  if (resource === undefined) return rule.nonResourceURLs.some((pattern) => matchesPath(pattern, path ?? ''));
  const { plural, subresource, group, name } = resource;
  const what = subresource === undefined ? plural : `${plural}/${subresource}`;
  const anyWithPart = subresource !== undefined && rule.resources.includes(`*/${subresource}`);
  const resources = holds(rule.resources, what) || anyWithPart;
  const names = rule.resourceNames.length === 0 || rule.resourceNames.includes(name ?? '');
  return resources && holds(rule.apiGroups, group) && names;
}

function holds(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

function texts(rule: unknown, field: string): string[] {
  return listAt(rule, field).filter((item) => typeof item === 'string');
}
