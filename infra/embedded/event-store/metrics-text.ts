/**
 * The numbers of a snapshot as Prometheus reads them. Every name begins with `clustral_event_store_`; no label holds anything
 * that a client can choose.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { HistogramSnapshot, MetricsSnapshot } from './metrics.ts';

const prefix = 'clustral_event_store_';

type Kind = 'counter' | 'gauge';
/** What is one number in a snapshot. */
type NumberName = {
  [Key in keyof MetricsSnapshot]: MetricsSnapshot[Key] extends number ? Key : never;
}[keyof MetricsSnapshot];

const numbers: readonly (readonly [NumberName, Kind, name: string, help: string])[] = [
  ['head', 'gauge', 'head_position', 'Position of the newest event.'],
  [
    'checkedPosition',
    'gauge',
    'checked_position',
    'Up to this position the chain of hashes was checked since the start.',
  ],
  ['queuedChanges', 'gauge', 'queued_changes', 'Changes that wait to be committed.'],
  ['queuedBytes', 'gauge', 'queued_bytes', 'Bytes of the changes that wait to be committed.'],
  ['bytesInHand', 'gauge', 'held_bytes', 'Bytes of messages that are arriving and of changes that wait.'],
  ['connections', 'gauge', 'connections', 'Open connections.'],
  ['calls', 'gauge', 'calls', 'Open calls.'],
  ['subscriptions', 'gauge', 'subscriptions', 'Open subscriptions.'],
  ['databaseBytes', 'gauge', 'database_bytes', 'Size of the database.'],
  ['walBytes', 'gauge', 'wal_bytes', 'Size of the write-ahead log.'],
  ['events', 'counter', 'events_appended_total', 'Events committed since the start.'],
  ['eventsRead', 'counter', 'events_read_total', 'Events sent to readers and subscribers.'],
  ['eventsScavenged', 'counter', 'events_scavenged_total', 'Events taken out of the log.'],
  ['refusedChanges', 'counter', 'refused_changes_total', 'Changes refused because too many were waiting.'],
  ['refusedConnections', 'counter', 'refused_connections_total', 'Connections refused because too many were open.'],
  [
    'refusedSubscriptions',
    'counter',
    'refused_subscriptions_total',
    'Subscriptions refused because too many were open.',
  ],
  ['wrongPasswords', 'counter', 'wrong_passwords_total', 'Calls with a wrong user or password.'],
];

export function metricsText(snapshot: MetricsSnapshot): string {
  const lines = numbers.flatMap(([key, kind, name, help]) => [
    ...head(name, kind, help),
    `${prefix}${name} ${snapshot[key]}`,
  ]);
  lines.push(...head('changes_total', 'counter', 'Changes by what became of them.'));
  for (const [outcome, count] of Object.entries(snapshot.outcomes)) {
    lines.push(`${prefix}changes_total{outcome="${outcome}"} ${count}`);
  }
  lines.push(...histogram('commit_seconds', 'From the begin of a commit to its end on disk.', snapshot.commits));
  lines.push(
    ...histogram('checkpoint_seconds', 'Copying the write-ahead log into the database.', snapshot.checkpoints),
  );
  lines.push(
    ...histogram('scavenge_slice_seconds', 'How long a slice of scavenging held the writer.', snapshot.scavenges),
  );
  return `${lines.join('\n')}\n`;
}

function head(name: string, kind: Kind | 'histogram', help: string): readonly string[] {
  return [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} ${kind}`];
}

function histogram(name: string, help: string, { buckets, count, sum }: HistogramSnapshot): readonly string[] {
  const rows = buckets.map((bucket) => `${prefix}${name}_bucket{le="${bucket.upTo}"} ${bucket.count}`);
  const all = `${prefix}${name}_bucket{le="+Inf"} ${count}`;
  return [
    ...head(name, 'histogram', help),
    ...rows,
    all,
    `${prefix}${name}_sum ${sum}`,
    `${prefix}${name}_count ${count}`,
  ];
}
