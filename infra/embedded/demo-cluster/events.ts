/**
 * Notes of what happened to an object, as `kubectl describe` and `kubectl get events` show them. They are kept for
 * their number, not for long: the oldest make room.
 */
import { limits } from './limits.ts';
import { type KubeObject, textAt, timestamp, type World } from './objects.ts';
import { storedResource } from './resources.ts';
import type { Store } from './store.ts';

/** One thing that happened. */
interface Happening {
  about: KubeObject;
  type?: 'Normal' | 'Warning';
  reason: string;
  message: string;
  component: string;
}

/** Writes an event, unless the namespace of its object is gone or going. */
export function recordEvent({ store, world }: { store: Store; world: World }, happening: Happening): void {
  const { about, reason, message, component, type = 'Normal' } = happening;
  const { name, namespace = 'default', uid, resourceVersion } = about.metadata;
  const home = store.get({ resource: storedResource('Namespace'), name: namespace });
  if (home === undefined || home.metadata.deletionTimestamp !== undefined) return;
  makeRoom(store);
  // A full cluster has more to tell than it can note down.
  if (!store.hasRoomFor(storedResource('Event'))) return;
  const now = timestamp(world.now());
  store.create(storedResource('Event'), {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      // Named by revision: kubectl shows events of one second in the order of their names.
      name: `${name.slice(0, 200)}.${store.revision.toString(16).padStart(16, '0')}`,
      namespace,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    involvedObject: { kind: about.kind, apiVersion: about.apiVersion, namespace, name, uid, resourceVersion },
    type,
    reason,
    message,
    source: { component },
    reportingComponent: component,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  });
}

function makeRoom(store: Store): void {
  const resource = storedResource('Event');
  const events = store.list(resource);
  const surplus = events.length - limits.events + 1;
  if (surplus <= 0) return;
  const oldestFirst = events.toSorted((a, b) => (textAt(a, 'lastTimestamp') < textAt(b, 'lastTimestamp') ? -1 : 1));
  for (const { metadata } of oldestFirst.slice(0, surplus))
    store.remove({ resource, namespace: metadata.namespace, name: metadata.name });
}
