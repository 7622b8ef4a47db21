/**
 * The `scale` subresource of deployments and replica sets: the number of replicas as an object of its own, which is
 * what `kubectl scale` reads and writes.
 */
import { admitChange } from './admission.ts';
import { mediaTypeOf, readData } from './body.ts';
import type { Call } from './call.ts';
import { conform } from './conform.ts';
import { type JsonObject, type KubeObject, numberAt, objectAt, textAt, valueAt } from './objects.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { placeNamespace } from './read.ts';
import { selectorText } from './selectors.ts';
import { stale } from './status.ts';
import { named } from './store.ts';
import { storeChange } from './write.ts';

const scaleKind = { apiVersion: 'autoscaling/v1', kind: 'Scale' };

/** GET, PUT and PATCH of a Scale. */
export async function serveScale(call: Call): Promise<void> {
  const place = { resource: call.resource, namespace: placeNamespace(call), name: call.at.name ?? '' };
  if (call.info.verb === 'get') return call.exchange.json(200, scaleOf(call.cluster.store.need(place)));
  const data = await readData(call.exchange);
  const previous = call.cluster.store.need(place);
  const current = scaleOf(previous);
  const wanted = conform(call.info.verb === 'update' ? data : patched(call, current, data), scaleKind).object;
  const version = textAt(wanted, 'metadata', 'resourceVersion');
  if (version !== '' && version !== previous.metadata.resourceVersion) throw stale(named(place));
  const spec = { ...objectAt(previous, 'spec'), replicas: numberAt(wanted, 'spec', 'replicas') };
  const next = admitChange(call, previous, { data: { ...previous, spec } });
  call.exchange.json(200, scaleOf(storeChange(call, previous, next)));
}

function patched(call: Call, current: JsonObject, patch: unknown): unknown {
  const isJsonPatch = mediaTypeOf(call.exchange) === 'application/json-patch+json';
  // A Scale has no lists, so a strategic merge is a merge.
  return isJsonPatch ? jsonPatch(current, patch) : mergePatch(current, patch);
}

function scaleOf(object: KubeObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: scaleKind.apiVersion,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, 'spec', 'replicas') },
    status: {
      replicas: numberAt(object, 'status', 'replicas'),
      selector: selectorText(valueAt(object, 'spec', 'selector')),
    },
  };
}
