/**
 * How objects go away: at once, or in two steps when something still has to happen (a pod stops, a namespace empties,
 * a finalizer is awaited). The API and the controllers delete through here alone.
 */
import { type KubeObject, numberAt, type OwnerReference, timestamp, valueAt, type World } from './objects.ts';
import { isStored, type Resource } from './resources.ts';
import { forbidden } from './status.ts';
import { named, type Place, type Store } from './store.ts';

/** What a client may say about a deletion (`meta/v1` DeleteOptions). */
export interface DeleteOptions {
  graceSeconds?: number;
  /** What becomes of the objects it owns; they go too unless 'Orphan' is said. */
  propagation?: 'Orphan' | 'Background' | 'Foreground';
}

/** Namespaces that Kubernetes does not let go. */
const permanent = ['default', 'kube-system', 'kube-public'];

/**
 * Deletes an object or begins to.
 * @returns its last version, and whether it is gone
 * @throws ApiError 404 when there is no such object, 403 for a namespace that must stay
 */
export function deleteObject(
  { store, world }: { store: Store; world: World },
  place: Place,
  options: DeleteOptions,
): { object: KubeObject; gone: boolean } {
  const object = store.need(place);
  const { resource, name } = place;
  if (resource.kind === 'Namespace' && permanent.includes(name))
    throw forbidden(named(place), 'this namespace may not be deleted');
  if (options.propagation === 'Orphan') releaseDependents(store, object);
  if (options.propagation === 'Foreground') {
    for (const dependent of dependentsOf(store, object)) deleteObject({ store, world }, dependent, options);
  }
  const graceSeconds = graceOf(object, options);
  const waits = graceSeconds > 0 || resource.kind === 'Namespace' || (object.metadata.finalizers ?? []).length > 0;
  if (!waits) return { object: store.remove(place), gone: true };
  if (object.metadata.deletionTimestamp !== undefined) return { object, gone: false };
  const deletionTimestamp = timestamp(new Date(world.now().getTime() + graceSeconds * 1000));
  const metadata = { ...object.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds };
  const status = resource.kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {};
  return { object: store.replace(resource, { ...object, ...status, metadata }), gone: false };
}

/** Where the objects are that an object owns. */
export function dependentsOf(store: Store, owner: KubeObject): Place[] {
  return owned(store, owner).map(({ resource, object }) => placeOf(resource, object));
}

/** An object's place. */
export function placeOf(resource: Resource, { metadata: { name, namespace } }: KubeObject): Place {
  return { resource, name, namespace };
}

function owned(store: Store, { metadata: { uid } }: KubeObject): { resource: Resource; object: KubeObject }[] {
  const isOwned = ({ object }: { object: KubeObject }): boolean => owners(object).some((owner) => owner.uid === uid);
  return [...store.all()].filter(({ resource }) => isStored(resource)).filter(isOwned);
}

function releaseDependents(store: Store, owner: KubeObject): void {
  for (const { resource, object } of owned(store, owner)) {
    const ownerReferences = owners(object).filter(({ uid }) => uid !== owner.metadata.uid);
    store.replace(resource, { ...object, metadata: { ...object.metadata, ownerReferences } });
  }
}

/** A pod that runs on the node is given its time to stop; one that never got there is not. */
function graceOf(object: KubeObject, { graceSeconds }: DeleteOptions): number {
  if (object.kind !== 'Pod' || valueAt(object, 'spec', 'nodeName') === undefined) return 0;
  return graceSeconds ?? numberAt(object, 'spec', 'terminationGracePeriodSeconds');
}

function owners(object: KubeObject): OwnerReference[] {
  return object.metadata.ownerReferences ?? [];
}
