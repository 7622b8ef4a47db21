import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withDefaults } from './defaults.ts';
import { deleteObject, placeOf } from './deletion.ts';
import { reconcileDeployment } from './deployment-controller.ts';
import { reconcilePod } from './kubelet.ts';
import { type KubeObject, numberAt, objectAt } from './objects.ts';
import { isReady, livingPods, reconcileReplicaSet } from './replica-set-controller.ts';
import { storedResource } from './resources.ts';
import { seedSystem } from './seed.ts';
import { Store } from './store.ts';
import type { Workshop } from './workshop.ts';

const deployments = storedResource('Deployment');

describe('rolling out', () => {
  it('ends with as many ready pods as wanted, all of the newest template', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        strategies(),
        (before, after, strategy) => {
          const workshop = newWorkshop();
          deploy(workshop, { replicas: before, image: 'web:1', strategy });
          settle(workshop, () => undefined);
          deploy(workshop, { replicas: after, image: 'web:2', strategy });
          settle(workshop, () => undefined);
          const pods = workshop.store.objects('Pod');
          expect(pods.map(imageOf)).toEqual(Array.from({ length: after }, () => 'web:2'));
          expect(numberAt(current(workshop), 'status', 'availableReplicas')).toBe(after);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never has more pods than the surge allows nor fewer ready ones than may be missing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        (...[replicas, surge, missing]) => {
          const workshop = newWorkshop();
          const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: missing } };
          deploy(workshop, { replicas, image: 'web:1', strategy });
          settle(workshop, () => undefined);
          deploy(workshop, { replicas, image: 'web:2', strategy });
          const allowed = surge === 0 && missing === 0 ? 1 : missing;
          settle(workshop, () => {
            const pods = workshop.store.objects('ReplicaSet').flatMap((set) => livingPods(workshop.store, set));
            expect(pods.length).toBeLessThanOrEqual(replicas + surge);
            expect(pods.filter(isReady).length).toBeGreaterThanOrEqual(Math.max(0, replicas - allowed));
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('numbers its versions and finds an old one again whatever the order of its fields', () => {
    const workshop = newWorkshop();
    for (const image of ['web:1', 'web:2', 'web:1']) {
      deploy(workshop, { replicas: 1, image, strategy: {} });
      settle(workshop, () => undefined);
    }
    expect(workshop.store.objects('ReplicaSet')).toHaveLength(2);
    expect(current(workshop)?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '3' });
  });
});

function strategies(): fc.Arbitrary<object> {
  return fc.constantFrom<object>({}, { type: 'Recreate' }, { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } });
}

function newWorkshop(): Workshop {
  let count = 0;
  const next = (): string => String((count += 1));
  const world = { now: () => new Date(0), uid: () => `uid-${next()}`, suffix: next };
  const store = new Store(world);
  seedSystem(store, world);
  store.create(storedResource('Namespace'), { apiVersion: 'v1', kind: 'Namespace', metadata: meta('demo') });
  return { store, world, podStartMs: 0, podStopMs: 0, rootCertificate: '' };
}

function meta(name: string): KubeObject['metadata'] {
  return { name, uid: '', resourceVersion: '', creationTimestamp: '' };
}

function current({ store }: Workshop): KubeObject | undefined {
  return store.get({ resource: deployments, namespace: 'demo', name: 'web' });
}

function deploy(
  workshop: Workshop,
  { replicas, image, strategy }: { replicas: number; image: string; strategy: object },
): void {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } };
  const wanted = { replicas, strategy, selector: { matchLabels: labels }, template };
  const { spec } = withDefaults('Deployment', { spec: wanted });
  const before = current(workshop);
  if (before !== undefined) workshop.store.replace(deployments, { ...before, spec });
  else {
    const metadata = { ...meta('web'), namespace: 'demo' };
    workshop.store.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec });
  }
}

/** Lets every controller look at everything, one after the other, until nothing changes any more. */
function settle(workshop: Workshop, check: () => void): void {
  const { store } = workshop;
  for (let round = 0, before = -1; before !== store.revision; round += 1) {
    expect(round).toBeLessThan(200);
    before = store.revision;
    for (const deployment of store.objects('Deployment')) reconcileDeployment(workshop, deployment);
    check();
    for (const set of store.objects('ReplicaSet')) reconcileReplicaSet(workshop, set);
    check();
    for (const pod of store.objects('Pod')) {
      const place = placeOf(storedResource('Pod'), pod);
      if (pod.metadata.deletionTimestamp === undefined) reconcilePod(workshop, pod, true);
      else deleteObject(workshop, place, { graceSeconds: 0 });
    }
    for (const set of store.objects('ReplicaSet')) reconcileReplicaSet(workshop, set);
    check();
  }
}

function imageOf(pod: KubeObject): string {
  const [container] = objectAt(pod, 'spec')['containers'] as { image: string }[];
  return container?.image ?? '';
}
