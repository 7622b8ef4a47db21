/**
 * What a deployment says about itself: how many pods of which kind there are, and whether its rollout is done. The
 * conditions are the ones `rollout status` and `wait` look at.
 */
import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, type KubeObject, listAt, numberAt, textAt, timestamp, valueAt } from './objects.ts';
import { storedResource } from './resources.ts';
import type { Store } from './store.ts';
import type { Workshop } from './workshop.ts';

/** The annotation that numbers the versions of a deployment's template. */
export const revisionNote = 'deployment.kubernetes.io/revision';

/** Writes the status of a deployment when it changed. */
export function writeStatus({ store, world }: Workshop, given: KubeObject, newest: KubeObject | undefined): void {
  const resource = storedResource('Deployment');
  const { namespace, name } = given.metadata;
  const deployment = store.need({ resource, namespace, name });
  const sets = setsOf(store, deployment);
  const sum = (field: string): number => sets.reduce((total, set) => total + numberAt(set, 'status', field), 0);
  const current = sets.find((set) => set.metadata.uid === newest?.metadata.uid);
  const wanted = numberAt(deployment, 'spec', 'replicas');
  const [replicas, ready, updated] = [sum('replicas'), sum('readyReplicas'), numberAt(current, 'status', 'replicas')];
  const status = {
    observedGeneration: deployment.metadata.generation ?? 1,
    ...nonZero({
      replicas,
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: Math.max(0, wanted - ready),
    }),
    conditions: conditionsOf(deployment, {
      available: ready >= wanted - share(deployment, 'maxUnavailable', wanted),
      complete: updated === wanted && replicas === wanted && ready === wanted,
      set: current?.metadata.name ?? '',
      now: timestamp(world.now()),
    }),
  };
  const revision = current?.metadata.annotations?.[revisionNote];
  const annotations = {
    ...deployment.metadata.annotations,
    ...(revision === undefined ? {} : { [revisionNote]: revision }),
  };
  const next = { ...deployment, metadata: { ...deployment.metadata, annotations }, status };
  if (!isDeepStrictEqual(next, deployment)) store.replace(resource, next);
}

function conditionsOf(
  deployment: KubeObject,
  { available, complete, set, now }: { available: boolean; complete: boolean; set: string; now: string },
): JsonObject[] {
  const availability = available
    ? { status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  const progress = complete
    ? { status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${set}" has successfully progressed.` }
    : { status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${set}" is progressing.` };
  return [
    { type: 'Available', ...availability },
    { type: 'Progressing', ...progress },
  ].map((condition) => {
    const before = listAt(deployment, 'status', 'conditions').find((old) => textAt(old, 'type') === condition.type);
    const same = textAt(before, 'status') === condition.status;
    const unchanged =
      same && textAt(before, 'reason') === condition.reason && textAt(before, 'message') === condition.message;
    return {
      ...condition,
      lastTransitionTime: same ? textAt(before, 'lastTransitionTime') : now,
      lastUpdateTime: unchanged ? textAt(before, 'lastUpdateTime') : now,
    };
  });
}

/** The replica sets of a deployment. */
export function setsOf(store: Store, { metadata: { namespace, uid } }: KubeObject): KubeObject[] {
  const sets = store.objects('ReplicaSet', namespace);
  return sets.filter(({ metadata }) => (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid));
}

/** A number or a percentage of the wanted pods: a surge is rounded up, what may be missing down. */
export function share(deployment: KubeObject, field: 'maxSurge' | 'maxUnavailable', wanted: number): number {
  const value = valueAt(deployment, 'spec', 'strategy', 'rollingUpdate', field);
  if (typeof value === 'number') return value;
  const part = (wanted * (Number.parseInt(typeof value === 'string' ? value : '0', 10) || 0)) / 100;
  return field === 'maxSurge' ? Math.ceil(part) : Math.floor(part);
}

function nonZero(counts: Record<string, number>): JsonObject {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0));
}
