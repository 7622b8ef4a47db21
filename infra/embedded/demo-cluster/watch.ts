/**
 * Watches: a list that goes on. A client gets what it does not know yet, then every change as it happens, one JSON
 * document per line. A watch is nothing but its place in the store's history (history.ts), so a slow client holds
 * up nobody and costs no memory; one that falls out of the history is told to list again.
 *
 * Invariant: changes are sent in order of revision, each once.
 */
import type { Call } from './call.ts';
import type { Change } from './history.ts';
import { limits } from './limits.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { selectedObjects, placeNamespace } from './read.ts';
import { isSet, wholeNumber } from './request-info.ts';
import { apiVersionOf } from './resources.ts';
import { selectionOf } from './selectors.ts';
import { badRequest, expired } from './status.ts';
import { Bell, holdStream } from './streams.ts';
import { contentTypeOf, type Form, formOf, metadataOf, rowObjectOf, tableOf } from './table.ts';

type EventType = Change['type'] | 'BOOKMARK';

/** Answers a watch until its time is over, the client is gone or the cluster stops. */
export async function watchObjects(call: Call): Promise<void> {
  const { exchange, info, cluster } = call;
  const form = formOf(exchange.header('accept'));
  const start = startOf(call);
  const write = eventWriter(call, form);
  const matches = matcherOf(call);
  const listed = start.sendsState ? selectedObjects(call) : [];
  let revision = start.sendsState ? cluster.store.revision : start.revision;
  holdStream(call);
  const changes = new Bell((ring) => cluster.store.onChange(ring), exchange.signal);
  const endsAt = Date.now() + timeoutMs(info.query);
  try {
    exchange.begin(contentTypeOf(form));
    for (const object of listed) await write('ADDED', object);
    if (start.sendsEndOfState) await write('BOOKMARK', bookmark(call, revision, true));
    let bookmarkAt = Date.now() + limits.bookmarkMs;
    while (!exchange.signal.aborted && Date.now() < endsAt) {
      const change = cluster.store.changeAfter(revision);
      if (change === 'expired') {
        await exchange.write(`${JSON.stringify({ type: 'ERROR', object: tooOld(call, revision).status() })}\n`);
        return;
      }
      if (change !== undefined) {
        revision = change.revision;
        const type = matches(change);
        if (type !== undefined) await write(type, change.object);
      } else if (Date.now() >= bookmarkAt) {
        if (isSet(info.query, 'allowWatchBookmarks')) await write('BOOKMARK', bookmark(call, revision, false));
        bookmarkAt = Date.now() + limits.bookmarkMs;
      } else await changes.rung(Math.min(endsAt, bookmarkAt) - Date.now());
    }
  } finally {
    changes.close();
    cluster.openStreams.delete(exchange);
    exchange.end();
  }
}

interface Start {
  revision: number;
  /** Whether the objects that exist now come first. */
  sendsState: boolean;
  /** Whether a bookmark says where they end (KEP-3157). */
  sendsEndOfState: boolean;
}

function startOf(call: Call): Start {
  const { query } = call.info;
  const revision = wholeNumber(query, 'resourceVersion') ?? 0;
  const streaming = isSet(query, 'sendInitialEvents');
  if (query.has('sendInitialEvents') && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (streaming) return { revision, sendsState: true, sendsEndOfState: isSet(query, 'allowWatchBookmarks') };
  if (revision === 0) return { revision, sendsState: !query.has('sendInitialEvents'), sendsEndOfState: false };
  const { store } = call.cluster;
  if (revision < store.oldestRevision() || revision > store.revision) throw tooOld(call, revision);
  return { revision, sendsState: false, sendsEndOfState: false };
}

function tooOld({ cluster }: Call, revision: number): ReturnType<typeof expired> {
  return expired(`too old resource version: ${revision} (${cluster.store.revision})`);
}

/** An object that starts or stops matching the selector is added or deleted as far as the watcher is concerned. */
function matcherOf(call: Call): (change: Change) => EventType | undefined {
  const selected = selectionOf(call.info.query, call.resource);
  const namespace = placeNamespace(call);
  return ({ type, resource, object, previous }) => {
    if (resource !== call.resource) return undefined;
    if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined;
    const [was, is] = [previous !== undefined && selected(previous), type !== 'DELETED' && selected(object)];
    if (was) return is ? 'MODIFIED' : 'DELETED';
    return is ? 'ADDED' : undefined;
  };
}

function eventWriter(call: Call, form: Form): (type: EventType, object: KubeObject) => Promise<void> {
  const { exchange, info, resource, cluster } = call;
  const rowObject = rowObjectOf(info.query);
  let described = false;
  const shown = (object: KubeObject): JsonObject => {
    if (form === 'object') return object;
    if (form === 'metadata') return metadataOf(object);
    const list = { resourceVersion: object.metadata.resourceVersion };
    const { columnDefinitions, ...rows } = tableOf([object], {
      kind: resource.kind,
      now: cluster.world.now(),
      rowObject,
      list,
    });
    // Only the first table of a watch names its columns.
    if (described) return rows;
    described = true;
    return { ...rows, columnDefinitions };
  };
  return (type, object) => exchange.write(`${JSON.stringify({ type, object: shown(object) })}\n`);
}

/** An object that carries nothing but the revision a watch has reached. */
function bookmark({ resource }: Call, revision: number, endOfState: boolean): KubeObject {
  const annotations = endOfState ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...annotations };
  return { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } as unknown as KubeObject;
}

function timeoutMs(query: URLSearchParams): number {
  const seconds = wholeNumber(query, 'timeoutSeconds') ?? 0;
  if (seconds > 0) return Math.min(seconds * 1000, 2 * limits.watchMs);
  return limits.watchMs * (1 + Math.random());
}
