/**
 * Discovery: which kinds there are and what can be done with them, in both forms kubectl knows. The aggregated one
 * (apidiscovery.k8s.io) tells all in two answers, the legacy one takes an answer per group and version.
 */
import type { JsonObject } from './objects.ts';
import { apiVersionOf, type Resource, resources, type Subresource } from './resources.ts';

/** A discovery document and the content type it is sent with. */
interface Discovery {
  body: JsonObject;
  contentType: string;
}

const groups = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== '');

/**
 * The discovery document at a path; undefined when there is none.
 * @param accept decides between the forms at `/api` and `/apis`
 */
export function discoveryAt(path: string, accept: string): Discovery | undefined {
  const [root, ...rest] = path.split('/').filter(Boolean);
  if (rest.length === 0 && (root === 'api' || root === 'apis')) {
    const version = aggregatedVersion(accept);
    if (version !== undefined) return aggregated(root === 'api' ? [''] : groups, version);
    return plain(root === 'api' ? apiVersions() : groupList());
  }
  if (root === 'api' && rest.length === 1) return plain(resourceList({ group: '', version: rest[0] ?? '' }));
  if (root !== 'apis' || rest.length > 2) return undefined;
  const [group = '', version] = rest;
  if (!groups.includes(group)) return undefined;
  return plain(
    version === undefined
      ? { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) }
      : resourceList({ group, version }),
  );
}

/** The versions of a group, the preferred one first. */
export function versionsOf(group: string): string[] {
  return [...new Set(resources.filter((resource) => resource.group === group).map(({ version }) => version))];
}

/** All groups but the core group, which has no name. */
export function groupNames(): readonly string[] {
  return groups;
}

function plain(body: JsonObject | undefined): Discovery | undefined {
  return body === undefined ? undefined : { body, contentType: 'application/json' };
}

/** The first version of the aggregated form that the client names, if it names one before plain JSON. */
function aggregatedVersion(accept: string): string | undefined {
  for (const part of accept.split(',').map((text) => text.trim().toLowerCase())) {
    if (part === 'application/json') return undefined;
    if (!part.includes('g=apidiscovery.k8s.io')) continue;
    if (part.includes('v=v2beta1')) return 'v2beta1';
    if (part.includes('v=v2')) return 'v2';
  }
  return undefined;
}

function aggregated(of: readonly string[], version: string): Discovery {
  const items = of.map((group) => ({
    metadata: { name: group === '' ? null : group, creationTimestamp: null },
    versions: versionsOf(group).map((groupVersion) => ({
      version: groupVersion,
      resources: served({ group, version: groupVersion }).map(aggregatedResource),
      freshness: 'Current',
    })),
  }));
  return {
    body: { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items },
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  };
}

function aggregatedResource(resource: Resource): JsonObject {
  const { plural, singular, kind, group, version, namespaced, verbs, shortNames, categories } = resource;
  const subresources = resource.subresources.map((part) => ({
    subresource: part.name,
    responseKind: responseKind(resource, part),
    verbs: part.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function responseKind({ group, version }: Resource, part: Subresource): JsonObject {
  return { group: part.group ?? group, version: part.version ?? version, kind: part.kind };
}

function apiVersions(): JsonObject {
  return { kind: 'APIVersions', versions: versionsOf(''), serverAddressByClientCIDRs: [] };
}

function groupList(): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
}

function groupOf(group: string): JsonObject {
  const versions = versionsOf(group).map((version) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceList(at: { group: string; version: string }): JsonObject | undefined {
  const list = served(at);
  if (list.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(at),
    resources: list.flatMap((resource) => [legacyResource(resource), ...legacyParts(resource)]),
  };
}

function legacyResource({ plural, singular, namespaced, kind, verbs, shortNames, categories }: Resource): JsonObject {
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

function legacyParts({ plural, namespaced, subresources }: Resource): JsonObject[] {
  return subresources.map(({ name, kind, verbs, group, version }) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(group === undefined ? {} : { group, version }),
    kind,
    verbs,
  }));
}

function served(at: { group: string; version: string }): Resource[] {
  return resources.filter(({ group, version }) => group === at.group && version === at.version);
}
