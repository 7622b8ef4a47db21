/**
 * Questions about rights, asked by creating an object that is answered and never kept: `kubectl auth can-i`,
 * `auth can-i --list` and `auth whoami`. They are answered by the same authorizer that guards every request.
 */
import { readAs } from './body.ts';
import type { Call } from './call.ts';
import { isJsonObject, type JsonObject, listAt, objectAt, textAt, valueAt } from './objects.ts';
import { type Attributes, authorize, rulesOf, type User } from './rbac.ts';
import { apiVersionOf } from './resources.ts';
import { badRequest } from './status.ts';

/** Answers a review. */
export async function answerReview(call: Call): Promise<void> {
  const kind = { apiVersion: apiVersionOf(call.resource), kind: call.resource.kind };
  const review = await readAs(call.exchange, kind);
  const spec = objectAt(review, 'spec');
  const metadata = { creationTimestamp: null, ...objectAt(review, 'metadata') };
  call.exchange.json(201, {
    ...kind,
    metadata,
    ...(review['spec'] === undefined ? {} : { spec }),
    status: statusOf(call, spec),
  });
}

function statusOf(call: Call, spec: JsonObject): JsonObject {
  const { user, cluster, resource } = call;
  switch (resource.kind) {
    case 'SelfSubjectReview':
      return {
        userInfo: {
          username: user.name,
          ...(user.uid === undefined ? {} : { uid: user.uid }),
          groups: user.groups,
          extra: user.extra,
        },
      };
    case 'SelfSubjectRulesReview':
      return rulesStatus(call, textAt(spec, 'namespace'));
    case 'SelfSubjectAccessReview':
      return { ...authorize(cluster.store, attributesOf(user, spec)) };
    default: {
      const namespace = valueAt(spec, 'resourceAttributes', 'namespace');
      if (resource.kind === 'LocalSubjectAccessReview' && namespace !== call.at.namespace)
        throw badRequest('spec.resourceAttributes.namespace must be the namespace of the request');
      return { ...authorize(cluster.store, attributesOf(subjectOf(spec), spec)) };
    }
  }
}

function rulesStatus({ user, cluster }: Call, namespace: string): JsonObject {
  const rules = rulesOf(cluster.store, user, namespace);
  const resourceRules = rules.filter((rule) => rule.resources.length > 0);
  const pathRules = rules.filter((rule) => rule.nonResourceURLs.length > 0);
  return {
    resourceRules: resourceRules.map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames.length === 0 ? {} : { resourceNames }),
    })),
    nonResourceRules: pathRules.map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
}

function subjectOf(spec: JsonObject): User {
  const groups = listAt(spec, 'groups').filter((group) => typeof group === 'string');
  return { name: textAt(spec, 'user'), groups, extra: {} };
}

function attributesOf(user: User, spec: JsonObject): Attributes {
  const path = objectAt(spec, 'nonResourceAttributes');
  const asked = spec['resourceAttributes'];
  if (!isJsonObject(asked)) return { user, verb: textAt(path, 'verb'), path: textAt(path, 'path') };
  const optional = (field: 'namespace' | 'name' | 'subresource'): Record<string, string> =>
    textAt(asked, field) === '' ? {} : { [field]: textAt(asked, field) };
  return {
    user,
    verb: textAt(asked, 'verb'),
    resource: {
      group: textAt(asked, 'group'),
      version: textAt(asked, 'version'),
      plural: textAt(asked, 'resource'),
      ...optional('namespace'),
      ...optional('name'),
      ...optional('subresource'),
    },
  };
}
