/**
 * What containers print. Nothing runs, so nothing is recorded: a line's text follows from the pod and the second it
 * was "printed" in, and any part of a log can be told at any time. Each container prints one line when it starts and
 * one access-log line a second from then on; only the newest few thousand are kept, as on a node that rotates logs.
 */
import { isJsonObject, type KubeObject, listAt, textAt } from './objects.ts';
import { limits } from './limits.ts';

/** What a client wants to see of a log. */
export interface LogRange {
  /** Lines printed before this are left out (milliseconds since the epoch). */
  sinceMs?: number;
  /** Only so many of the last lines. */
  tail?: number;
}

/** One line, and when it was printed. */
export interface LogEntry {
  atMs: number;
  text: string;
}

const paths = ['/', '/healthz', '/api/orders', '/api/cart', '/static/app.js', '/favicon.ico'];
const secondMs = 1000;

/** When a container of a pod started, in milliseconds since the epoch; undefined while it has not. */
export function startedAtMs(pod: KubeObject, container: string): number | undefined {
  const statuses = listAt(pod, 'status', 'containerStatuses').filter(isJsonObject);
  const status = statuses.find((candidate) => candidate['name'] === container);
  const started = textAt(status, 'state', 'running', 'startedAt');
  return started === '' ? undefined : Date.parse(started);
}

/**
 * The lines a container printed up to an instant.
 * @param startMs when it started
 */
export function logEntries(
  pod: { name: string; container: string; image: string; startMs: number },
  untilMs: number,
  { sinceMs = 0, tail = limits.logLines }: LogRange,
): LogEntry[] {
  const last = Math.floor((untilMs - pod.startMs) / secondMs);
  const oldest = Math.max(0, last - limits.logLines + 1);
  const fromSince = Math.ceil((sinceMs - pod.startMs) / secondMs);
  const first = Math.max(oldest, fromSince, last - tail + 1);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => entry(pod, first + index));
}

function entry(pod: { name: string; container: string; image: string; startMs: number }, second: number): LogEntry {
  const atMs = pod.startMs + second * secondMs;
  if (second === 0) return { atMs, text: `${pod.container} started from ${pod.image} (stand-in: nothing runs)` };
  const seed = mix(pod.name, second);
  const path = paths[seed % paths.length] ?? '/';
  const status = seed % 37 === 0 ? 500 : seed % 11 === 0 ? 404 : 200;
  return { atMs, text: `${new Date(atMs).toISOString()} GET ${path} ${status} ${1 + (seed % 90)}ms` };
}

/** A number that is different for each pod and second and always the same for both. */
function mix(name: string, second: number): number {
  let hash = second + 1;
  for (const character of name) hash = (hash * 31 + character.charCodeAt(0)) % 1_000_003;
  return (hash * 7919) % 1_000_003;
}
