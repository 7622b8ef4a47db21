/**
 * The kinds the stand-in serves, as data: discovery, routing, authorization and storage all read this one table.
 *
 * Invariant: a resource that is not listed here is answered 404, whatever else mentions it.
 */

/** A part of an object with a path of its own, such as `pods/log`. */
export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  /** When its kind lives in another group than the resource. */
  readonly group?: string;
  readonly version?: string;
}

/** A kind that has paths. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Paths a field selector may name besides metadata.name and metadata.namespace. */
  readonly selectable: readonly string[];
}

const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const partVerbs = ['get', 'patch', 'update'];
const streamVerbs = ['create', 'get'];
const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

const core = { group: '', version: 'v1' };
const apps = { group: 'apps', version: 'v1', namespaced: true };
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };
const scale = { name: 'scale', kind: 'Scale', verbs: partVerbs, group: 'autoscaling', version: 'v1' };

/** All resources, in the order discovery lists them. */
export const resources: readonly Resource[] = [
  stored({ ...core, kind: 'ConfigMap', namespaced: true, shortNames: ['cm'] }),
  stored({
    ...core,
    kind: 'Event',
    namespaced: true,
    shortNames: ['ev'],
    selectable: [...involved.map((field) => `involvedObject.${field}`), 'reason', 'reportingComponent', 'type'],
  }),
  stored({
    ...core,
    kind: 'Namespace',
    namespaced: false,
    shortNames: ['ns'],
    selectable: ['status.phase'],
    subresources: [part('status', 'Namespace'), { name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  }),
  stored({
    ...core,
    kind: 'Node',
    namespaced: false,
    shortNames: ['no'],
    selectable: ['spec.unschedulable'],
    subresources: [part('status', 'Node')],
  }),
  stored({
    ...core,
    kind: 'Pod',
    namespaced: true,
    shortNames: ['po'],
    categories: ['all'],
    selectable: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
    subresources: [
      { name: 'attach', kind: 'PodAttachOptions', verbs: streamVerbs },
      { name: 'exec', kind: 'PodExecOptions', verbs: streamVerbs },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: streamVerbs },
      part('status', 'Pod'),
    ],
  }),
  stored({ ...core, kind: 'Secret', namespaced: true, selectable: ['type'] }),
  stored({
    ...core,
    kind: 'ServiceAccount',
    namespaced: true,
    shortNames: ['sa'],
    subresources: [
      { name: 'token', kind: 'TokenRequest', verbs: ['create'], group: 'authentication.k8s.io', version: 'v1' },
    ],
  }),
  stored({
    ...core,
    kind: 'Service',
    namespaced: true,
    shortNames: ['svc'],
    categories: ['all'],
    selectable: ['spec.clusterIP', 'spec.type'],
    subresources: [part('status', 'Service')],
  }),
  stored({
    ...apps,
    kind: 'Deployment',
    shortNames: ['deploy'],
    categories: ['all'],
    subresources: [scale, part('status', 'Deployment')],
  }),
  stored({
    ...apps,
    kind: 'ReplicaSet',
    shortNames: ['rs'],
    categories: ['all'],
    selectable: ['status.replicas'],
    subresources: [scale, part('status', 'ReplicaSet')],
  }),
  review({ group: 'authentication.k8s.io', kind: 'SelfSubjectReview', namespaced: false }),
  // kubectl 1.27 asks `auth whoami` of this version only.
  review({ group: 'authentication.k8s.io', kind: 'SelfSubjectReview', namespaced: false, version: 'v1beta1' }),
  review({ group: 'authorization.k8s.io', kind: 'LocalSubjectAccessReview', namespaced: true }),
  review({ group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview', namespaced: false }),
  review({ group: 'authorization.k8s.io', kind: 'SelfSubjectRulesReview', namespaced: false }),
  review({ group: 'authorization.k8s.io', kind: 'SubjectAccessReview', namespaced: false }),
  stored({ ...rbac, kind: 'ClusterRoleBinding', namespaced: false }),
  stored({ ...rbac, kind: 'ClusterRole', namespaced: false }),
  stored({ ...rbac, kind: 'RoleBinding', namespaced: true }),
  stored({ ...rbac, kind: 'Role', namespaced: true }),
];

/** The resource at a path's group, version and plural; undefined when it is not served. */
export function findResource(at: { group: string; version: string; plural: string }): Resource | undefined {
  return resources.find(
    ({ group, version, plural }) => group === at.group && version === at.version && plural === at.plural,
  );
}

/** The resource whose objects have this apiVersion and kind; undefined when it is not served. */
export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return resources.find((resource) => apiVersionOf(resource) === apiVersion && resource.kind === kind);
}

/** The stored resource of this kind; for the stand-in's own code, which names only kinds of the table above. */
export function storedResource(kind: string): Resource {
  const found = resources.find((resource) => resource.kind === kind && isStored(resource));
  if (found === undefined) throw new Error(`the demo cluster has no stored kind ${kind}`);
  return found;
}

/** Whether the kind is kept, not just answered (reviews are only answered). */
export function isStored(resource: Resource): boolean {
  return resource.verbs.includes('get');
}

/** `v1` or `apps/v1`. */
export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

type Given = Pick<Resource, 'group' | 'kind' | 'namespaced'> & Partial<Resource>;

function stored(given: Given): Resource {
  return resource({ ...given, verbs: storedVerbs });
}

function review(given: Given): Resource {
  return resource({ version: 'v1', ...given, verbs: ['create'] });
}

function resource(given: Given & Pick<Resource, 'verbs'>): Resource {
  const singular = given.kind.toLowerCase();
  const defaults = { version: 'v1', shortNames: [], categories: [], subresources: [], selectable: [] };
  return { ...defaults, singular, plural: `${singular}s`, ...given };
}

function part(name: string, kind: string): Subresource {
  return { name, kind, verbs: partVerbs };
}
