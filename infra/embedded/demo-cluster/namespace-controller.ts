/**
 * What a namespace needs: a default service account and the cluster's root certificate while it lives, and to be
 * emptied when it is to go.
 */
import { deleteObject, placeOf } from './deletion.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { storedResource } from './resources.ts';
import type { Store } from './store.ts';
import type { Again, Workshop } from './workshop.ts';

/** Fills or empties a namespace. */
export function reconcileNamespace(workshop: Workshop, namespace: KubeObject): Again {
  const { store, rootCertificate } = workshop;
  const { name, deletionTimestamp, finalizers = [] } = namespace.metadata;
  if (deletionTimestamp === undefined) {
    ensure(store, name, { apiVersion: 'v1', kind: 'ServiceAccount', named: 'default' });
    const certificate = { data: { 'ca.crt': rootCertificate } };
    ensure(store, name, { apiVersion: 'v1', kind: 'ConfigMap', named: 'kube-root-ca.crt', ...certificate });
    return undefined;
  }
  const content = [...store.all()].filter(({ object }) => object.metadata.namespace === name);
  for (const { resource, object } of content) {
    const place = placeOf(resource, object);
    if (store.get(place) !== undefined) deleteObject(workshop, place, {});
  }
  const left = [...store.all()].some(({ object }) => object.metadata.namespace === name);
  if (!left && finalizers.length === 0) store.remove(placeOf(storedResource('Namespace'), namespace));
  return undefined;
}

function ensure(
  store: Store,
  namespace: string,
  { apiVersion, kind, named, ...content }: { apiVersion: string; kind: string; named: string } & JsonObject,
): void {
  const resource = storedResource(kind);
  if (store.get({ resource, namespace, name: named }) !== undefined) return;
  const metadata = { name: named, namespace, uid: '', resourceVersion: '', creationTimestamp: '' };
  store.create(resource, { apiVersion, kind, metadata, ...content });
}
