/**
 * The loops that make the cluster do what its objects say: deployments get replica sets, replica sets get pods, pods
 * start and stop, namespaces fill and empty, and what lost its owner goes.
 *
 * A change only says which objects to look at; what to do follows from what is there (level, not edge). So nothing is
 * lost by a restart, and looking twice does no harm.
 */
import { reconcileDeployment } from './deployment-controller.ts';
import { dependentsOf, deleteObject } from './deletion.ts';
import { recordEvent } from './events.ts';
import type { Change } from './history.ts';
import { reconcilePod } from './kubelet.ts';
import { reconcileNamespace } from './namespace-controller.ts';
import { type KubeObject, type LogLine, textAt } from './objects.ts';
import { reconcileReplicaSet } from './replica-set-controller.ts';
import { storedResource } from './resources.ts';
import { ApiError } from './status.ts';
import type { Again, Workshop } from './workshop.ts';

type Reconcile = (workshop: Workshop, object: KubeObject, due: boolean) => Again;

const reconcilers: Record<string, Reconcile> = {
  Deployment: reconcileDeployment,
  ReplicaSet: reconcileReplicaSet,
  Pod: reconcilePod,
  Namespace: reconcileNamespace,
};

/** How long after a refusal (a full cluster) a controller tries again. */
const retryMs = 5_000;

export class Controllers {
  readonly #workshop: Workshop;
  readonly #log: LogLine;
  readonly #queue = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #unlisten = (): void => undefined;
  #running: NodeJS.Immediate | undefined;

  constructor(workshop: Workshop, log: LogLine) {
    this.#workshop = workshop;
    this.#log = log;
  }

  /** Looks at everything once and from then on at whatever changes. */
  start(): void {
    this.#unlisten = this.#workshop.store.onChange((change) => this.#noticed(change));
    for (const { object } of this.#workshop.store.all()) this.#enqueue(object.kind, object);
  }

  stop(): void {
    this.#unlisten();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#queue.clear();
    clearImmediate(this.#running);
  }

  #noticed({ type, object }: Change): void {
    if (type === 'DELETED') this.#collect(object);
    else this.#enqueue(object.kind, object);
    for (const { kind, name } of object.metadata.ownerReferences ?? [])
      this.#push(kind, object.metadata.namespace, name);
    if (object.metadata.namespace !== undefined && type === 'DELETED')
      this.#push('Namespace', undefined, object.metadata.namespace);
    if (object.kind === 'Node') this.#enqueueWaitingPods();
  }

  /** What an object owned goes after it. */
  #collect(owner: KubeObject): void {
    const dependents = dependentsOf(this.#workshop.store, owner);
    if (dependents.length === 0) return;
    setImmediate(() => {
      for (const place of dependents) {
        const object = this.#workshop.store.get(place);
        if (object !== undefined) this.#guarded(object, () => void deleteObject(this.#workshop, place, {}));
      }
    });
  }

  #enqueueWaitingPods(): void {
    const pods = this.#workshop.store.objects('Pod').filter((pod) => textAt(pod, 'status', 'phase') === 'Pending');
    for (const pod of pods) this.#enqueue('Pod', pod);
  }

  #enqueue(kind: string, { metadata: { namespace, name } }: KubeObject): void {
    this.#push(kind, namespace, name);
  }

  #push(kind: string, namespace: string | undefined, name: string): void {
    if (reconcilers[kind] === undefined) return;
    this.#queue.add(`${kind}/${namespace ?? ''}/${name}`);
    this.#running ??= setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#running = undefined;
    const keys = [...this.#queue];
    this.#queue.clear();
    for (const key of keys) this.#reconcile(key, false);
  }

  #reconcile(key: string, due: boolean): void {
    const [kind = '', namespace = '', name = ''] = key.split('/');
    const resource = storedResource(kind);
    const object = this.#workshop.store.get({ resource, namespace: namespace === '' ? undefined : namespace, name });
    const reconcile = reconcilers[kind];
    if (object === undefined || reconcile === undefined) return;
    const again = this.#guarded(object, () => reconcile(this.#workshop, object, due));
    if (again !== undefined && !this.#timers.has(key)) this.#wakeLater(key, again);
  }

  /** A refusal is told to the user as an event; a fault of ours is logged and must not stop the other loops. */
  #guarded(object: KubeObject, work: () => Again): Again {
    try {
      return work();
    } catch (error) {
      if (error instanceof ApiError) {
        const { message } = error;
        const happening = { about: object, reason: 'FailedCreate', message, component: 'controller-manager' };
        recordEvent(this.#workshop, { ...happening, type: 'Warning' });
      } else {
        const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#log('error', 'a controller of the demo cluster failed', { object: object.metadata.name, stack });
      }
      return retryMs;
    }
  }

  #wakeLater(key: string, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.#reconcile(key, true);
    }, ms);
    this.#timers.set(key, timer);
  }
}
