/**
 * Keeps as many pods of a replica set as it asks for: makes the missing ones, deletes the surplus, and counts.
 */
import { isDeepStrictEqual } from 'node:util';
import { deleteObject, placeOf } from './deletion.ts';
import { recordEvent } from './events.ts';
import { type KubeObject, listAt, numberAt, objectAt, textAt } from './objects.ts';
import { storedResource } from './resources.ts';
import type { Store } from './store.ts';
import type { Again, Workshop } from './workshop.ts';

/** Makes the pods of a replica set as many as wanted. */
export function reconcileReplicaSet(workshop: Workshop, set: KubeObject): Again {
  const { store } = workshop;
  if (set.metadata.deletionTimestamp !== undefined) return undefined;
  const pods = livingPods(store, set);
  const missing = numberAt(set, 'spec', 'replicas') - pods.length;
  // The count is written first: a full cluster ends this look with a refusal.
  count(store, set, pods);
  for (let made = 0; made < missing; made += 1) createPod(workshop, set);
  for (const pod of pods.toSorted(leastMissedFirst).slice(0, Math.max(0, -missing))) {
    deleteObject(workshop, placeOf(storedResource('Pod'), pod), {});
    note(workshop, set, ['SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`]);
  }
  return undefined;
}

/** The pods of a replica set that are not on their way out. */
export function livingPods(store: Store, { metadata: { namespace, uid } }: KubeObject): KubeObject[] {
  return store
    .objects('Pod', namespace)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter(({ metadata }) => (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid));
}

/** Whether a pod can be counted as available. */
export function isReady(pod: KubeObject): boolean {
  const ready = listAt(pod, 'status', 'conditions').find((condition) => textAt(condition, 'type') === 'Ready');
  return textAt(ready, 'status') === 'True';
}

function count(store: Store, set: KubeObject, pods: readonly KubeObject[]): void {
  const ready = pods.filter(isReady).length;
  const status = {
    replicas: pods.length,
    ...(pods.length === 0 ? {} : { fullyLabeledReplicas: pods.length }),
    ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: set.metadata.generation ?? 1,
  };
  if (!isDeepStrictEqual(status, set.status)) store.replace(storedResource('ReplicaSet'), { ...set, status });
}

function createPod(workshop: Workshop, set: KubeObject): void {
  const { store, world } = workshop;
  const { name, namespace, uid } = set.metadata;
  const template = objectAt(set, 'spec', 'template');
  const { labels, annotations } = objectAt(template, 'metadata') as Partial<KubeObject['metadata']>;
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid, controller: true, blockOwnerDeletion: true };
  const pod = store.create(storedResource('Pod'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name.slice(0, 240)}-${world.suffix()}`,
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [owner],
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    spec: {
      ...objectAt(template, 'spec'),
      serviceAccountName: textAt(template, 'spec', 'serviceAccountName') || 'default',
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  });
  note(workshop, set, ['SuccessfulCreate', `Created pod: ${pod.metadata.name}`]);
}

function note(workshop: Workshop, about: KubeObject, [reason, message]: [string, string]): void {
  recordEvent(workshop, { about, reason, message, component: 'replicaset-controller' });
}

/** Pods that are not ready go first, then the youngest. */
function leastMissedFirst(a: KubeObject, b: KubeObject): number {
  if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1;
  return a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1;
}
