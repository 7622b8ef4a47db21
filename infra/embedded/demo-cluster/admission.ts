/**
 * From what a client sent to what may be stored: shape, defaults, metadata that belongs to the server, rules, and who
 * set which field. Writing handlers (write.ts) call it and then store the result.
 *
 * Invariant: nothing reaches the store through the API without having passed here.
 */
import { isDeepStrictEqual } from 'node:util';
import { claim, isWriter, type Manager } from './apply.ts';
import type { Call } from './call.ts';
import { conform } from './conform.ts';
import { withDefaults } from './defaults.ts';
import { checkEscalation } from './escalation.ts';
import { changedFields, difference, type FieldSet, fieldsIn, union } from './field-sets.ts';
import {
  type JsonObject,
  type KubeObject,
  type ManagedFields,
  objectAt,
  type ObjectMeta,
  textAt,
  timestamp,
} from './objects.ts';
import { apiVersionOf } from './resources.ts';
import { withAddress } from './service-addresses.ts';
import { badRequest, conflict, forbidden, notFound, stale } from './status.ts';
import { validate } from './validate.ts';

/** Kinds whose `metadata.generation` counts changes of the spec. */
const counted = ['Deployment', 'ReplicaSet'];

/** The claims of an apply, computed by its caller. */
interface AppliedClaims {
  owned: FieldSet;
  taken: FieldSet;
}

/**
 * A new object out of a body.
 * @throws ApiError 400, 403, 404 or 422, whatever speaks against it
 */
export function admitNew(call: Call, data: unknown, applied?: AppliedClaims): KubeObject {
  const { resource, cluster } = call;
  const given = shaped(call, data);
  if (textAt(given, 'metadata', 'resourceVersion') !== '')
    throw badRequest('resourceVersion should not be set on objects to be created');
  const metadata = newMetadata(call, objectAt(given, 'metadata'));
  const { status: _ignored, ...rest } = given;
  const candidate: KubeObject = {
    ...withDefaults(resource.kind, rest),
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata,
    ...firstStatus(resource.kind),
  };
  const object = withAddress(candidate, cluster.store);
  validate(resource, object, undefined);
  checkEscalation(call, object);
  const owned = fieldsIn(given, resource.kind);
  const claims = claim([], managerOf(call, applied === undefined ? 'Update' : 'Apply'), {
    owned: applied?.owned ?? owned,
    taken: {},
    gone: {},
  });
  return { ...object, metadata: { ...metadata, managedFields: claims } };
}

/**
 * The next version of an object; the previous version itself when nothing would change.
 * @param data the whole object as the client wants it
 * @throws ApiError 400, 403, 409 or 422, whatever speaks against it
 */
export function admitChange(
  call: Call,
  previous: KubeObject,
  change: { data: unknown; applied?: AppliedClaims },
): KubeObject {
  const { resource, at } = call;
  const given = shaped(call, change.data);
  checkPreconditions(call, previous, objectAt(given, 'metadata'));
  const whole =
    at.subresource === 'status' ? { ...previous, status: given['status'] } : { ...given, status: previous.status };
  if (whole.status === undefined) delete whole.status;
  const candidate: KubeObject = {
    ...withDefaults(resource.kind, whole),
    apiVersion: previous.apiVersion,
    kind: previous.kind,
    metadata: keptMetadata(previous.metadata, objectAt(given, 'metadata')),
  };
  const object = withGeneration(withAddress(candidate, call.cluster.store, previous), previous);
  validate(resource, object, previous);
  if (isDeepStrictEqual(unclaimed(object), unclaimed(previous)) && change.applied === undefined) return previous;
  checkEscalation(call, object);
  const managedFields = claims(call, previous, { object, applied: change.applied });
  const next = { ...object, metadata: { ...object.metadata, managedFields } };
  return isDeepStrictEqual(next, previous) ? previous : next;
}

/** Who writes, by the fieldManager of the query or the first word of the user agent. */
export function managerOf(call: Call, operation: Manager['operation']): Manager {
  const { exchange, info, at, resource, cluster } = call;
  const agent = exchange.header('user-agent').split('/')[0] ?? '';
  return {
    manager: info.query.get('fieldManager') || agent || 'unknown',
    operation,
    apiVersion: apiVersionOf(resource),
    time: timestamp(cluster.world.now()),
    ...(at.subresource === undefined ? {} : { subresource: at.subresource }),
  };
}

/**
 * A body in the shape of the request's kind; fields it does not have are refused, warned of or passed over, as
 * `fieldValidation` says.
 */
export function shaped(call: Call, data: unknown): JsonObject {
  const { object, unknown } = conform(data, { apiVersion: apiVersionOf(call.resource), kind: call.resource.kind });
  if (unknown.length === 0) return object;
  const sentences = unknown.slice(0, 20).map((path) => `unknown field ${JSON.stringify(path)}`);
  const validation = call.info.query.get('fieldValidation') ?? 'Warn';
  if (validation === 'Strict') {
    const { kind, version } = call.resource;
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${sentences.join(', ')}`,
    );
  }
  if (validation === 'Warn') call.exchange.setHeader('warning', sentences.map(warning).join(', '));
  return object;
}

/** RFC 7234 warning 299; header text has to be ASCII. */
function warning(sentence: string): string {
  return `299 - ${JSON.stringify(sentence.replaceAll(/[^ -~]/g, '?'))}`;
}

function newMetadata(call: Call, given: JsonObject): ObjectMeta {
  const { at, resource, cluster } = call;
  const namespace = textAt(given, 'namespace');
  if (namespace !== '' && namespace !== (resource.namespaced ? at.namespace : namespace))
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  const prefix = textAt(given, 'generateName');
  const name = textAt(given, 'name') || (prefix === '' ? '' : `${prefix.slice(0, 58)}${cluster.world.suffix()}`);
  if (resource.namespaced) checkNamespace(call, name);
  const { uid: _uid, resourceVersion: _version, generation: _generation, selfLink: _link, ...kept } = given;
  const { deletionTimestamp: _at, deletionGracePeriodSeconds: _grace, managedFields: _managed, ...rest } = kept;
  return {
    ...rest,
    name,
    ...(resource.namespaced ? { namespace: at.namespace ?? '' } : {}),
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
    ...(counted.includes(resource.kind) ? { generation: 1 } : {}),
    ...(resource.kind === 'Namespace' ? { labels: { ...labelsOf(rest), 'kubernetes.io/metadata.name': name } } : {}),
  };
}

function checkNamespace(call: Call, name: string): void {
  const namespace = call.at.namespace ?? '';
  const found = call.cluster.store.objects('Namespace').find((object) => object.metadata.name === namespace);
  if (found === undefined) throw notFound({ group: '', plural: 'namespaces', name: namespace });
  if (found.metadata.deletionTimestamp === undefined) return;
  throw forbidden(
    { group: call.resource.group, plural: call.resource.plural, name },
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
}

function firstStatus(kind: string): { status?: JsonObject } {
  switch (kind) {
    case 'Pod':
      return { status: { phase: 'Pending', qosClass: 'BestEffort' } };
    case 'Namespace':
      return { status: { phase: 'Active' } };
    case 'Service':
      return { status: { loadBalancer: {} } };
    case 'Deployment':
      return { status: {} };
    case 'ReplicaSet':
      return { status: { replicas: 0 } };
    default:
      return {};
  }
}

function checkPreconditions({ resource }: Call, previous: KubeObject, metadata: JsonObject): void {
  const what = { group: resource.group, plural: resource.plural, name: previous.metadata.name };
  const [version, uid, name] = ['resourceVersion', 'uid', 'name'].map((field) => textAt(metadata, field));
  if (name !== '' && name !== previous.metadata.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${previous.metadata.name})`);
  if (uid !== '' && uid !== previous.metadata.uid)
    throw conflict(
      what,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`,
    );
  if (version !== '' && version !== previous.metadata.resourceVersion) throw stale(what);
}

/** What the server set stays; what users may set is taken from the new version. */
function keptMetadata(previous: ObjectMeta, given: JsonObject): ObjectMeta {
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...kept } = previous;
  const changeable = ['labels', 'annotations', 'finalizers', 'ownerReferences'].flatMap((field) =>
    given[field] === undefined ? [] : [[field, given[field]]],
  );
  return { ...kept, ...Object.fromEntries(changeable) } as ObjectMeta;
}

function withGeneration(object: KubeObject, previous: KubeObject): KubeObject {
  if (!counted.includes(object.kind) || isDeepStrictEqual(object.spec, previous.spec)) return object;
  return { ...object, metadata: { ...object.metadata, generation: (previous.metadata.generation ?? 1) + 1 } };
}

function claims(
  call: Call,
  previous: KubeObject,
  { object, applied }: { object: KubeObject; applied: AppliedClaims | undefined },
): ManagedFields[] {
  const before = previous.metadata.managedFields ?? [];
  const gone = difference(fieldsIn(previous, call.resource.kind), fieldsIn(object, call.resource.kind));
  const writer = managerOf(call, applied === undefined ? 'Update' : 'Apply');
  const own = before.find((entry) => isWriter(entry, writer));
  if (applied !== undefined) {
    const unchanged = own !== undefined && isDeepStrictEqual(own.fieldsV1, applied.owned);
    return claim(before, unchanged ? { ...writer, time: own.time } : writer, { ...applied, gone });
  }
  const changed = changedFields(previous, object, call.resource.kind);
  return claim(before, writer, { owned: difference(union(own?.fieldsV1 ?? {}, changed), gone), taken: changed, gone });
}

function unclaimed(object: KubeObject): unknown {
  const { managedFields: _managed, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function labelsOf(metadata: JsonObject): Record<string, string> {
  return objectAt(metadata, 'labels') as Record<string, string>;
}
