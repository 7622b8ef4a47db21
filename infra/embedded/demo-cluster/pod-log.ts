/**
 * GET pods/NAME/log: the log of one container as text, from where the client asks and for as long as it follows. The
 * lines themselves come from logs.ts.
 */
import type { Call } from './call.ts';
import { limits } from './limits.ts';
import { logEntries, type LogEntry, type LogRange, startedAtMs } from './logs.ts';
import { type KubeObject, textAt } from './objects.ts';
import { chosenContainer } from './pod-container.ts';
import { placeNamespace } from './read.ts';
import { isSet, wholeNumber } from './request-info.ts';
import { badRequest } from './status.ts';
import { Bell, holdStream } from './streams.ts';

interface Printing {
  name: string;
  container: string;
  image: string;
  startMs: number;
}

/**
 * Answers with a container's log.
 * @throws ApiError 400 in Kubernetes' words when there is nothing to show, 404 for no such pod
 */
export async function answerLog(call: Call): Promise<void> {
  const { exchange, info, cluster } = call;
  const place = { resource: call.resource, namespace: placeNamespace(call), name: call.at.name ?? '' };
  const pod = cluster.store.need(place);
  const printing = printingOf(pod, info.query);
  const nowMs = cluster.world.now().getTime();
  const range = rangeOf(info.query, nowMs);
  const write = lineWriter(call);
  if (!isSet(info.query, 'follow')) {
    exchange.begin('text/plain');
    await write(logEntries(printing, nowMs, range));
    return exchange.end();
  }
  holdStream(call);
  const ended = new Bell(
    (ring) => cluster.store.onChange((change) => void (change.object.metadata.uid === pod.metadata.uid && ring())),
    exchange.signal,
  );
  try {
    exchange.begin('text/plain');
    let open = await write(logEntries(printing, nowMs, range));
    let shownMs = nowMs;
    const followUntilMs = nowMs + limits.followMs;
    while (open && !exchange.signal.aborted && shownMs < followUntilMs) {
      await ended.rung(1000 - ((shownMs - printing.startMs) % 1000));
      if (cluster.store.get(place)?.metadata.uid !== pod.metadata.uid) break;
      const untilMs = cluster.world.now().getTime();
      open = await write(logEntries(printing, untilMs, { sinceMs: shownMs + 1 }));
      shownMs = Math.max(shownMs, untilMs);
    }
  } finally {
    ended.close();
    cluster.openStreams.delete(exchange);
    exchange.end();
  }
}

function printingOf(pod: KubeObject, query: URLSearchParams): Printing {
  const { name } = pod.metadata;
  const chosen = chosenContainer(pod, query.get('container') ?? '');
  const container = textAt(chosen, 'name');
  if (isSet(query, 'previous'))
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const startMs = startedAtMs(pod, container);
  if (startMs === undefined)
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ContainerCreating`);
  return { name, container, image: textAt(chosen, 'image'), startMs };
}

function rangeOf(query: URLSearchParams, nowMs: number): LogRange {
  const seconds = wholeNumber(query, 'sinceSeconds');
  const instant = Date.parse(query.get('sinceTime') ?? '');
  const tail = wholeNumber(query, 'tailLines');
  if (seconds !== undefined && !Number.isNaN(instant))
    throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified');
  const sinceMs = seconds === undefined ? instant : nowMs - seconds * 1000;
  return { ...(Number.isNaN(sinceMs) ? {} : { sinceMs }), ...(tail === undefined ? {} : { tail }) };
}

/** Writes lines and tells whether more may follow: `limitBytes` ends a log in the middle of a line. */
function lineWriter({ exchange, info }: Call): (entries: readonly LogEntry[]) => Promise<boolean> {
  const stamped = isSet(info.query, 'timestamps');
  let left = wholeNumber(info.query, 'limitBytes') ?? Number.POSITIVE_INFINITY;
  return async (entries) => {
    const lines = entries.map(({ atMs, text }) => `${stamped ? `${nanoseconds(atMs)} ` : ''}${text}\n`);
    const text = lines.join('').slice(0, Math.min(left, Number.MAX_SAFE_INTEGER));
    left -= text.length;
    if (text !== '') await exchange.write(text);
    return left > 0;
  };
}

/** RFC 3339 with nine digits, as container runtimes stamp their lines. */
function nanoseconds(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000000Z');
}
