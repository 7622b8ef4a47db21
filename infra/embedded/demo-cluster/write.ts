/**
 * POST, PUT, PATCH and DELETE on objects: admission says what is to be stored (admission.ts), deletion how objects go
 * (deletion.ts); here the request's own wishes are read and the answer is given. `dryRun` does all but the storing.
 */
import { admitChange, admitNew, managerOf, shaped } from './admission.ts';
import { applied, conflictsOf, isWriter } from './apply.ts';
import { mediaTypeOf, readData } from './body.ts';
import type { Call } from './call.ts';
import { conform } from './conform.ts';
import { deleteObject, type DeleteOptions, placeOf } from './deletion.ts';
import { difference, fieldsIn, setOf, shownPath, union } from './field-sets.ts';
import { isJsonObject, type JsonObject, type KubeObject, listAt, objectAt, timestamp, valueAt } from './objects.ts';
import { jsonPatch, mergePatch, strategicMerge } from './patch.ts';
import { answerObject, placeNamespace, selectedObjects } from './read.ts';
import { refusalSentence } from './rbac.ts';
import { isSet } from './request-info.ts';
import { apiVersionOf } from './resources.ts';
import { ApiError, badRequest, conflict, forbidden, stale, success } from './status.ts';
import { named, type Place } from './store.ts';

/** Creates an object. */
export async function createObject(call: Call): Promise<void> {
  const data = await readData(call.exchange);
  answerObject(call, 201, storeNew(call, admitNew(call, data)));
}

/** Replaces an object (PUT). */
export async function updateObject(call: Call): Promise<void> {
  const data = await readData(call.exchange);
  const previous = call.cluster.store.need(placeIn(call));
  answerObject(call, 200, storeChange(call, previous, admitChange(call, previous, { data })));
}

/** Changes an object by a patch; an apply creates it when it does not exist. */
export async function patchObject(call: Call): Promise<void> {
  const type = mediaTypeOf(call.exchange);
  const patch = await readData(call.exchange);
  if (type === 'application/apply-patch+yaml') return applyObject(call, patch);
  const previous = call.cluster.store.need(placeIn(call));
  const data = patched(call, previous, { type, patch });
  answerObject(call, 200, storeChange(call, previous, admitChange(call, previous, { data })));
}

/** Deletes an object. */
export async function removeObject(call: Call): Promise<void> {
  const options = await readDeleteOptions(call);
  const { store } = call.cluster;
  const place = placeIn(call);
  const { uid } = store.need(place).metadata;
  checkPreconditions(call, place, objectAt(options, 'preconditions'));
  if (isDry(call, options)) return call.exchange.json(200, store.need(place));
  const { object, gone } = deleteObject(call.cluster, place, wishes(options));
  const brief = gone && object.kind !== 'Pod';
  if (brief) return call.exchange.json(200, success({ ...named(place), uid }));
  answerObject(call, 200, object);
}

/** Deletes all selected objects. */
export async function removeObjects(call: Call): Promise<void> {
  const options = await readDeleteOptions(call);
  const { resource, cluster } = call;
  const objects = selectedObjects(call);
  if (!isDry(call, options)) {
    for (const object of objects) deleteObject(cluster, placeOf(resource, object), wishes(options));
  }
  call.exchange.json(200, {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata: { resourceVersion: String(cluster.store.revision) },
    items: objects,
  });
}

/** Stores a change unless the request is a dry run, or nothing would change. */
export function storeChange(call: Call, previous: KubeObject, next: KubeObject): KubeObject {
  if (next === previous || isDry(call, {})) return next;
  const { store } = call.cluster;
  // Somebody who waited for an object to be released took the last finalizer off: now it goes.
  const released = previous.metadata.deletionTimestamp !== undefined && isReleased(previous, next);
  return released ? store.remove(placeOf(call.resource, previous)) : store.replace(call.resource, next);
}

function isReleased(previous: KubeObject, next: KubeObject): boolean {
  return (previous.metadata.finalizers ?? []).length > 0 && (next.metadata.finalizers ?? []).length === 0;
}

function checkPreconditions({ cluster }: Call, place: Place, wanted: JsonObject): void {
  const { uid, resourceVersion } = cluster.store.need(place).metadata;
  if (wanted['uid'] !== undefined && wanted['uid'] !== uid)
    throw conflict(named(place), uidMismatch(wanted['uid'], uid));
  if (wanted['resourceVersion'] !== undefined && wanted['resourceVersion'] !== resourceVersion)
    throw stale(named(place));
}

function uidMismatch(wanted: unknown, uid: string): string {
  return `Precondition failed: UID in precondition: ${String(wanted)}, UID in object meta: ${uid}`;
}

function storeNew(call: Call, object: KubeObject): KubeObject {
  const { store, world } = call.cluster;
  if (!isDry(call, {})) return store.create(call.resource, object);
  const metadata = { ...object.metadata, uid: world.uid(), creationTimestamp: timestamp(world.now()) };
  return { ...object, metadata };
}

function patched(call: Call, previous: KubeObject, { type, patch }: { type: string; patch: unknown }): unknown {
  switch (type) {
    case 'application/json-patch+json':
      return jsonPatch(previous, patch);
    case 'application/merge-patch+json':
      return mergePatch(previous, patch);
    case 'application/strategic-merge-patch+json':
      if (!isJsonObject(patch)) throw badRequest('a strategic merge patch is an object');
      return strategicMerge(previous, patch, call.resource.kind);
    default:
      throw new ApiError(415, 'UnsupportedMediaType', {
        message: 'a patch is sent as json-patch+json, merge-patch+json, strategic-merge-patch+json or apply-patch+yaml',
      });
  }
}

function applyObject(call: Call, data: unknown): void {
  const { resource, info, cluster } = call;
  if (!info.query.has('fieldManager'))
    throw badRequest('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value');
  const patch = shaped(call, data);
  if (valueAt(patch, 'metadata', 'managedFields') !== undefined) throw badRequest('metadata.managedFields must be nil');
  const owned = fieldsIn(patch, resource.kind);
  const previous = cluster.store.get(placeIn(call));
  if (previous === undefined) return createByApply(call, { data, owned });
  const writer = managerOf(call, 'Apply');
  const claims = previous.metadata.managedFields ?? [];
  const others = claims.filter((entry) => !isWriter(entry, writer));
  const before = claims.find((entry) => isWriter(entry, writer))?.fieldsV1 ?? {};
  const ownedByOthers = others.reduce((all, { fieldsV1 }) => union(all, fieldsV1), {});
  const dropped = difference(difference(before, owned), ownedByOthers);
  const next = applied(previous, patch, { type: resource.kind, dropped });
  const conflicts = conflictsOf(owned, others, { before: previous, after: next });
  if (conflicts.length > 0 && !isSet(info.query, 'force')) throw applyConflict(call, conflicts);
  const taken = setOf(conflicts.map(({ path }) => path));
  const admitted = admitChange(call, previous, { data: next, applied: { owned, taken } });
  answerObject(call, 200, storeChange(call, previous, admitted));
}

function createByApply(call: Call, { data, owned }: { data: unknown; owned: JsonObject }): void {
  if (!call.may('create').allowed) {
    const { user, at } = call;
    throw forbidden(named(placeIn(call)), refusalSentence({ user, verb: 'create', resource: at }));
  }
  answerObject(call, 201, storeNew(call, admitNew(call, data, { owned, taken: {} })));
}

function applyConflict(call: Call, conflicts: ReturnType<typeof conflictsOf>): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${JSON.stringify(manager)}`,
    field: shownPath(path),
  }));
  const managers = [...new Set(conflicts.map(({ manager }) => JSON.stringify(manager)))].join(', ');
  const fields = causes.map(({ field }) => `- ${field}`).join('\n');
  const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`;
  const { name, plural, group } = named(placeIn(call));
  return new ApiError(409, 'Conflict', {
    message: `Apply failed with ${count}: conflicts with ${managers}:\n${fields}`,
    details: { name, kind: plural, ...(group === '' ? {} : { group }), causes },
  });
}

async function readDeleteOptions({ exchange, info }: Call): Promise<JsonObject> {
  const data = await readData(exchange);
  // Clients send DeleteOptions under the apiVersion of whatever they delete.
  const { apiVersion: _version, kind: _kind, ...options } = isJsonObject(data) ? data : {};
  const fromQuery = ['gracePeriodSeconds', 'propagationPolicy', 'dryRun'].flatMap((name) => {
    const text = info.query.get(name);
    if (text === null) return [];
    return [[name, name === 'gracePeriodSeconds' ? Number(text) : name === 'dryRun' ? [text] : text]];
  });
  const all = { ...options, ...Object.fromEntries(fromQuery) };
  return conform(all, { apiVersion: 'v1', kind: 'DeleteOptions' }).object;
}

function wishes(options: JsonObject): DeleteOptions {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents } = options;
  const policy = orphanDependents === true ? 'Orphan' : propagationPolicy;
  return {
    ...(typeof gracePeriodSeconds === 'number' ? { graceSeconds: gracePeriodSeconds } : {}),
    ...(policy === 'Orphan' || policy === 'Background' || policy === 'Foreground' ? { propagation: policy } : {}),
  };
}

function isDry({ info }: Call, options: JsonObject): boolean {
  return info.query.getAll('dryRun').includes('All') || listAt(options, 'dryRun').includes('All');
}

function placeIn(call: Call): Place {
  return { resource: call.resource, namespace: placeNamespace(call), name: call.at.name ?? '' };
}
