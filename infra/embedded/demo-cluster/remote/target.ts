/**
 * What every session in a pod needs before its connection is upgraded: the right to it and a pod that runs.
 *
 * Invariant: all refusals come from here or before, as Status objects; after the upgrade there is no way to say no.
 */
import type { Call } from '../call.ts';
import { startedAtMs } from '../logs.ts';
import { type JsonObject, type KubeObject, textAt } from '../objects.ts';
import { chosenContainer } from '../pod-container.ts';
import { refusalSentence } from '../rbac.ts';
import { placeNamespace } from '../read.ts';
import { ApiError, badRequest, forbidden } from '../status.ts';

/** A running container. */
export interface Target {
  pod: KubeObject;
  container: JsonObject;
  /** When the container started, in milliseconds since the epoch. */
  startMs: number;
}

/**
 * The container a session is for.
 * @throws ApiError 403 without the right, 404 for no such pod, 400 or 500 when nothing runs there
 */
export function targetOf(call: Call): Target {
  const { at, cluster, info, user } = call;
  // A WebSocket begins with GET, which would be allowed to whoever may read; Kubernetes asks for more since 1.35.
  if (!call.may('create').allowed) {
    const sentence = refusalSentence({ user, verb: 'create', resource: at });
    throw forbidden({ group: at.group, plural: at.plural, name: at.name ?? '' }, sentence);
  }
  const place = { resource: call.resource, namespace: placeNamespace(call), name: at.name ?? '' };
  const pod = cluster.store.need(place);
  if (textAt(pod, 'spec', 'nodeName') === '') throw badRequest(`pod ${place.name} does not have a host assigned`);
  const container = chosenContainer(pod, info.query.get('container') ?? '');
  const name = textAt(container, 'name');
  const startMs = startedAtMs(pod, name);
  if (startMs === undefined) {
    const message = `unable to upgrade connection: container not found (${JSON.stringify(name)})`;
    throw new ApiError(500, 'InternalError', { message });
  }
  return { pod, container, startMs };
}

/** The last check before an upgrade. @throws ApiError 400 when the client asked for none */
export function needUpgrade({ exchange }: Call): void {
  if (!exchange.isUpgrade) throw badRequest('Upgrade request required');
}
