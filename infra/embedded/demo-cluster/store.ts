/**
 * All objects of the demo cluster, in memory, under one revision that rises by one with every change. It knows
 * nothing of rules: it stores what it is given, refuses what does not fit, and tells listeners that something changed.
 *
 * Invariant: a stored object is frozen history; every change stores another one.
 */
import { type Change, History } from './history.ts';
import { limits } from './limits.ts';
import { type KubeObject, timestamp, type World } from './objects.ts';
import type { RoleSource } from './rbac.ts';
import { type Resource, storedResource } from './resources.ts';
import { alreadyExists, type ApiError, forbidden, type Named, notFound, tooLarge } from './status.ts';

/** Where an object is: its resource, namespace (none for cluster-wide kinds) and name. */
export interface Place {
  resource: Resource;
  namespace?: string | undefined;
  name: string;
}

/** What the store writes to a file and reads from it. */
export interface Snapshot {
  revision: number;
  objects: KubeObject[];
}

/** An object may always grow by this much: a full cluster must still be able to mark what is to be deleted. */
const slackBytes = 1024;

interface Entry {
  object: KubeObject;
  bytes: number;
}

export class Store implements RoleSource {
  readonly #world: World;
  readonly #buckets = new Map<Resource, Map<string, Entry>>();
  readonly #history = new History();
  readonly #listeners = new Set<(change: Change) => void>();
  #revision = 1;
  #count = 0;
  #bytes = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The revision of the last change. */
  get revision(): number {
    return this.#revision;
  }

  get({ resource, namespace, name }: Place): KubeObject | undefined {
    return this.#bucket(resource).get(keyOf(namespace, name))?.object;
  }

  /** @throws ApiError 404 when there is no such object */
  need(place: Place): KubeObject {
    const found = this.get(place);
    if (found === undefined) throw notFound(named(place));
    return found;
  }

  /** The objects of a resource, all or of one namespace, in order of namespace and name. */
  list(resource: Resource, namespace?: string): KubeObject[] {
    const entries = [...this.#bucket(resource)];
    const within = namespace === undefined ? entries : entries.filter(([key]) => key.startsWith(`${namespace}/`));
    return within.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { object }]) => object);
  }

  /** All objects of a stored kind; what the stand-in's own parts ask with. */
  objects(kind: string, namespace?: string): KubeObject[] {
    return this.list(storedResource(kind), namespace);
  }

  /** Every object of every kind. */
  *all(): Generator<{ resource: Resource; object: KubeObject }> {
    for (const [resource, bucket] of this.#buckets) {
      for (const { object } of bucket.values()) yield { resource, object };
    }
  }

  /**
   * Stores a new object, giving it its uid, time and revision.
   * @throws ApiError 409 when the name is taken, 403 when the cluster is full, 413 when it is too large
   */
  create(resource: Resource, object: KubeObject): KubeObject {
    const { name, namespace } = object.metadata;
    const place = { resource, namespace, name };
    if (this.get(place) !== undefined) throw alreadyExists(named(place));
    this.#checkQuota(place);
    const metadata = { ...object.metadata, uid: this.#world.uid(), creationTimestamp: timestamp(this.#world.now()) };
    return this.#put({ type: 'ADDED', place, previous: undefined }, { ...object, metadata });
  }

  /**
   * Stores another version of an object that exists.
   * @throws ApiError 404 when it is gone, 413 when it is too large
   */
  replace(resource: Resource, object: KubeObject): KubeObject {
    const { name, namespace } = object.metadata;
    const place = { resource, namespace, name };
    return this.#put({ type: 'MODIFIED', place, previous: this.need(place) }, object);
  }

  /**
   * Takes an object away and returns its last version.
   * @throws ApiError 404 when it is gone
   */
  remove(place: Place): KubeObject {
    const previous = this.need(place);
    const bucket = this.#bucket(place.resource);
    const key = keyOf(place.namespace, place.name);
    const bytes = bucket.get(key)?.bytes ?? 0;
    bucket.delete(key);
    this.#count -= 1;
    this.#bytes -= bytes;
    const object = withRevision(previous, this.#nextRevision());
    this.#announce({ revision: this.#revision, type: 'DELETED', resource: place.resource, object, previous }, bytes);
    return object;
  }

  /** Whether another object of this kind could be created now; its size apart. */
  hasRoomFor(resource: Resource): boolean {
    const room = this.#count < limits.objects && this.#bytes < limits.storeBytes - limits.objectBytes;
    return room && (resource.kind !== 'Pod' || this.#bucket(resource).size < limits.pods);
  }

  /** The change after a revision: undefined when there is none yet, 'expired' when it is no longer kept. */
  changeAfter(revision: number): Change | undefined | 'expired' {
    return this.#history.after(revision, this.#revision);
  }

  /** The oldest revision a watch can start from. */
  oldestRevision(): number {
    return this.#history.oldest(this.#revision);
  }

  /** Calls the listener after every change; the answer ends it. A listener must not throw. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What has to be written down to go on from here later. */
  snapshot(): Snapshot {
    return { revision: this.#revision, objects: [...this.all()].map(({ object }) => object) };
  }

  /** Fills an empty store from a snapshot; objects keep their uids and revisions. */
  restore(snapshot: Snapshot, resourceOf: (object: KubeObject) => Resource | undefined): void {
    this.#revision = Math.max(this.#revision, snapshot.revision);
    for (const object of snapshot.objects) {
      const resource = resourceOf(object);
      if (resource === undefined) continue;
      const bytes = sizeOf(object);
      this.#bucket(resource).set(keyOf(object.metadata.namespace, object.metadata.name), { object, bytes });
      this.#count += 1;
      this.#bytes += bytes;
    }
  }

  #put(change: Pick<Change, 'type' | 'previous'> & { place: Place }, object: KubeObject): KubeObject {
    const { place, type, previous } = change;
    const bytes = sizeOf(object);
    if (bytes > limits.objectBytes) throw tooLarge(limits.objectBytes);
    const bucket = this.#bucket(place.resource);
    const key = keyOf(place.namespace, place.name);
    const growth = bytes - (bucket.get(key)?.bytes ?? 0);
    if (growth > slackBytes && this.#bytes + growth > limits.storeBytes)
      throw overQuota(place, `bytes=${limits.storeBytes}`);
    this.#count += previous === undefined ? 1 : 0;
    this.#bytes += growth;
    const stored = withRevision(object, this.#nextRevision());
    bucket.set(key, { object: stored, bytes });
    this.#announce({ revision: this.#revision, type, resource: place.resource, object: stored, previous }, bytes);
    return stored;
  }

  #announce(change: Change, bytes: number): void {
    this.#history.push(change, bytes);
    for (const listener of this.#listeners) listener(change);
  }

  #checkQuota(place: Place): void {
    const pods = place.resource.kind === 'Pod' ? this.#bucket(place.resource).size : 0;
    if (pods >= limits.pods) throw overQuota(place, `pods=${limits.pods}`);
    if (this.#count >= limits.objects) throw overQuota(place, `objects=${limits.objects}`);
  }

  #nextRevision(): string {
    this.#revision += 1;
    return String(this.#revision);
  }

  #bucket(resource: Resource): Map<string, Entry> {
    const existing = this.#buckets.get(resource);
    if (existing !== undefined) return existing;
    const bucket = new Map<string, Entry>();
    this.#buckets.set(resource, bucket);
    return bucket;
  }
}

/** An object's place as messages name it. */
export function named({ resource, name }: Place): Named {
  return { group: resource.group, plural: resource.plural, name };
}

function overQuota(place: Place, limited: string): ApiError {
  return forbidden(named(place), `exceeded quota: demo-cluster, limited: ${limited}; delete something first`);
}

function withRevision(object: KubeObject, resourceVersion: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function sizeOf(object: KubeObject): number {
  return Buffer.byteLength(JSON.stringify(object));
}
