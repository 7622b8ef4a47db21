/**
 * Rolls a deployment out: one replica set per version of its template, the newest growing while the others shrink, no
 * more pods than the strategy allows and no fewer ready ones.
 */
import { createHash } from 'node:crypto';
import { revisionNote, setsOf, share, writeStatus } from './deployment-status.ts';
import { recordEvent } from './events.ts';
import { isJsonObject, type KubeObject, numberAt, objectAt, textAt, valueAt } from './objects.ts';
import { storedResource } from './resources.ts';
import type { Store } from './store.ts';
import type { Again, Workshop } from './workshop.ts';

const hashLabel = 'pod-template-hash';
/** Kubernetes' alphabet for such hashes: no vowels, so no words. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Takes a deployment one step further. */
export function reconcileDeployment(workshop: Workshop, deployment: KubeObject): Again {
  if (deployment.metadata.deletionTimestamp !== undefined) return undefined;
  const { store } = workshop;
  const sets = setsOf(store, deployment);
  const hash = templateHash(deployment);
  const paused = valueAt(deployment, 'spec', 'paused') === true;
  const existing = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
  const newest = existing ?? (paused ? undefined : createSet(workshop, deployment, { hash, sets }));
  const old = sets.filter((set) => set !== newest);
  if (newest !== undefined) {
    const current = withNewestRevision(store, newest, old);
    roll(workshop, deployment, { newest: current, old });
    trim(store, deployment, old);
  }
  writeStatus(workshop, deployment, newest);
  return undefined;
}

function createSet(
  { store }: Workshop,
  deployment: KubeObject,
  { hash, sets }: { hash: string; sets: readonly KubeObject[] },
): KubeObject {
  const { name, namespace, uid } = deployment.metadata;
  const template = objectAt(deployment, 'spec', 'template');
  const labels = { ...objectAt(template, 'metadata', 'labels'), [hashLabel]: hash } as Record<string, string>;
  const selector = objectAt(deployment, 'spec', 'selector');
  const matchLabels = { ...objectAt(selector, 'matchLabels'), [hashLabel]: hash };
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true, blockOwnerDeletion: true };
  return store.create(storedResource('ReplicaSet'), {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name.slice(0, 240)}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: { [revisionNote]: String(highestRevision(sets) + 1) },
      ownerReferences: [owner],
      generation: 1,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    spec: {
      replicas: 0,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...objectAt(template, 'metadata'), labels } },
    },
    status: { replicas: 0 },
  });
}

/** A template that is used again (an undo) counts as the newest revision. */
function withNewestRevision(store: Store, newest: KubeObject, old: readonly KubeObject[]): KubeObject {
  if (revisionOf(newest) > highestRevision(old)) return newest;
  const annotations = { ...newest.metadata.annotations, [revisionNote]: String(highestRevision(old) + 1) };
  return store.replace(storedResource('ReplicaSet'), { ...newest, metadata: { ...newest.metadata, annotations } });
}

function roll(
  workshop: Workshop,
  deployment: KubeObject,
  { newest, old }: { newest: KubeObject; old: readonly KubeObject[] },
): void {
  const wanted = numberAt(deployment, 'spec', 'replicas');
  const recreate = textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate';
  const surge = recreate ? 0 : share(deployment, 'maxSurge', wanted);
  const unavailable = recreate ? wanted : share(deployment, 'maxUnavailable', wanted);
  const total = [newest, ...old].reduce((sum, set) => sum + numberAt(set, 'spec', 'replicas'), 0);
  const current = numberAt(newest, 'spec', 'replicas');
  const oldPods = old.reduce((sum, set) => sum + numberAt(set, 'status', 'replicas'), 0);
  const room = Math.max(wanted + surge - total, 0);
  const grown = recreate && oldPods > 0 ? 0 : Math.min(wanted, current + room);
  if (grown !== current) scaleSet(workshop, deployment, { set: newest, replicas: grown });
  // Neither 0 nor 0 would ever move: Kubernetes then lets one pod be missing.
  const missingAllowed = unavailable === 0 && surge === 0 ? 1 : unavailable;
  const ready = [newest, ...old].reduce((sum, set) => sum + numberAt(set, 'status', 'readyReplicas'), 0);
  let spare =
    grown >= wanted && numberAt(newest, 'status', 'readyReplicas') >= wanted
      ? Number.POSITIVE_INFINITY
      : ready - (wanted - missingAllowed);
  for (const set of old) {
    const replicas = numberAt(set, 'spec', 'replicas');
    const cut = Math.min(replicas, Math.max(0, spare));
    if (cut > 0) scaleSet(workshop, deployment, { set, replicas: replicas - cut });
    spare -= cut;
  }
}

function scaleSet(
  workshop: Workshop,
  deployment: KubeObject,
  { set, replicas }: { set: KubeObject; replicas: number },
): void {
  const before = numberAt(set, 'spec', 'replicas');
  const metadata = { ...set.metadata, generation: (set.metadata.generation ?? 1) + 1 };
  workshop.store.replace(storedResource('ReplicaSet'), {
    ...set,
    metadata,
    spec: { ...objectAt(set, 'spec'), replicas },
  });
  const direction = replicas > before ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`;
  recordEvent(workshop, {
    about: deployment,
    reason: 'ScalingReplicaSet',
    message,
    component: 'deployment-controller',
  });
}

/** Old replica sets without pods are kept for `rollout undo`, the newest few. */
function trim(store: Store, deployment: KubeObject, old: readonly KubeObject[]): void {
  const kept = numberAt(deployment, 'spec', 'revisionHistoryLimit');
  const isIdle = (set: KubeObject): boolean =>
    numberAt(set, 'spec', 'replicas') + numberAt(set, 'status', 'replicas') === 0;
  const idle = old.filter(isIdle).toSorted((a, b) => revisionOf(b) - revisionOf(a));
  for (const { metadata } of idle.slice(kept))
    store.remove({ resource: storedResource('ReplicaSet'), namespace: metadata.namespace, name: metadata.name });
}

function templateHash(deployment: KubeObject): string {
  const template = canonical(objectAt(deployment, 'spec', 'template'));
  const bytes = createHash('sha256').update(template).digest().subarray(0, 10);
  return [...bytes].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/** JSON with sorted keys: an undo sends the same template in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isJsonObject(member) ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[revisionNote] ?? 0);
}

function highestRevision(sets: readonly KubeObject[]): number {
  return Math.max(0, ...sets.map(revisionOf));
}
