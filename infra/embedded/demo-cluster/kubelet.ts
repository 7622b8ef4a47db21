/**
 * The pretended node: it takes pods in, says after a moment that their containers run, and lets them go when they are
 * deleted. No program is ever started.
 */
import { createHash } from 'node:crypto';
import { placeOf } from './deletion.ts';
import { recordEvent } from './events.ts';
import {
  isJsonObject,
  type JsonObject,
  type KubeObject,
  listAt,
  objectAt,
  textAt,
  timestamp,
  valueAt,
} from './objects.ts';
import { storedResource } from './resources.ts';
import type { Store } from './store.ts';
import type { Again, Workshop } from './workshop.ts';

const podResource = storedResource('Pod');

/** Takes a pod one step further. @param due whether the time asked for at the last look is over */
export function reconcilePod(workshop: Workshop, pod: KubeObject, due: boolean): Again {
  if (pod.metadata.deletionTimestamp !== undefined) return stop(workshop, pod, due);
  if (textAt(pod, 'spec', 'nodeName') === '') return schedule(workshop, pod);
  if (textAt(pod, 'status', 'phase') !== 'Pending') return undefined;
  if (!due) return workshop.podStartMs;
  run(workshop, pod);
  return undefined;
}

function stop(workshop: Workshop, pod: KubeObject, due: boolean): Again {
  if ((pod.metadata.finalizers ?? []).length > 0) return undefined;
  if (!due) return workshop.podStopMs;
  workshop.store.remove(placeOf(podResource, pod));
  return undefined;
}

function schedule(workshop: Workshop, pod: KubeObject): Again {
  const { store, world, podStartMs } = workshop;
  const node = store.objects('Node').find((candidate) => valueAt(candidate, 'spec', 'unschedulable') !== true);
  if (node === undefined) return wait(workshop, pod);
  const time = timestamp(world.now());
  const status = {
    ...objectAt(pod, 'status'),
    conditions: conditions(time, 'False'),
    hostIP: textAt(listAt(node, 'status', 'addresses')[0], 'address'),
    startTime: time,
    containerStatuses: containersOf(pod).map((container) => ({
      name: container['name'],
      image: container['image'],
      imageID: '',
      ready: false,
      started: false,
      restartCount: 0,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
    })),
  };
  const spec = { ...objectAt(pod, 'spec'), nodeName: node.metadata.name };
  const scheduled = store.replace(podResource, { ...pod, spec, status });
  const { namespace, name } = pod.metadata;
  const message = `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`;
  recordEvent(workshop, { about: scheduled, reason: 'Scheduled', message, component: 'default-scheduler' });
  return podStartMs;
}

/** No node takes pods: say so once; a change of the node wakes the pod up. */
function wait(workshop: Workshop, pod: KubeObject): Again {
  if (listAt(pod, 'status', 'conditions').length > 0) return undefined;
  const message = '0/1 nodes are available: 1 node(s) were unschedulable.';
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  const lastTransitionTime = timestamp(workshop.world.now());
  const status = { ...objectAt(pod, 'status'), conditions: [{ ...condition, lastTransitionTime }] };
  const waiting = workshop.store.replace(podResource, { ...pod, status });
  const happening = { about: waiting, reason: 'FailedScheduling', message, component: 'default-scheduler' };
  recordEvent(workshop, { ...happening, type: 'Warning' });
  return undefined;
}

function run(workshop: Workshop, pod: KubeObject): void {
  const { store, world } = workshop;
  const time = timestamp(world.now());
  const podIP = freeAddress(store);
  const status: JsonObject = {
    ...objectAt(pod, 'status'),
    phase: 'Running',
    conditions: conditions(time, 'True'),
    podIP,
    podIPs: [{ ip: podIP }],
    containerStatuses: containersOf(pod).map((container) => ({
      name: container['name'],
      image: container['image'],
      imageID: `standin://${digest(textAt(container, 'image'))}`,
      containerID: `standin://${digest(`${pod.metadata.uid}/${textAt(container, 'name')}`)}`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: time } },
      lastState: {},
    })),
  };
  const running = store.replace(podResource, { ...pod, status });
  for (const container of containersOf(pod)) {
    const [name, image] = [textAt(container, 'name'), textAt(container, 'image')];
    note(workshop, running, ['Pulled', `Container image "${image}" already present on machine`]);
    note(workshop, running, ['Created', `Created container: ${name}`]);
    note(workshop, running, ['Started', `Started container ${name}`]);
  }
}

function note(workshop: Workshop, about: KubeObject, [reason, message]: [string, string]): void {
  recordEvent(workshop, { about, reason, message, component: 'kubelet' });
}

function conditions(lastTransitionTime: string, ready: 'True' | 'False'): JsonObject[] {
  const all = {
    PodReadyToStartContainers: ready,
    Initialized: 'True',
    Ready: ready,
    ContainersReady: ready,
    PodScheduled: 'True',
  };
  return Object.entries(all).map(([type, status]) => ({ type, status, lastProbeTime: null, lastTransitionTime }));
}

function freeAddress(store: Store): string {
  const used = new Set(store.objects('Pod').map((pod) => textAt(pod, 'status', 'podIP')));
  for (let number = 2; number < 65_535; number += 1) {
    const address = `10.244.${number >> 8}.${number & 255}`;
    if (!used.has(address)) return address;
  }
  throw new Error('the demo cluster ran out of pod addresses');
}

function containersOf(pod: KubeObject): JsonObject[] {
  return listAt(pod, 'spec', 'containers').filter(isJsonObject);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
