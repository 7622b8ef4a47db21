/**
 * How the projections stand, for Prometheus and for people. No label holds anything that the log says, but for what stopped it.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { secondsBehind } from './lag.ts';
import type { ProjectorStatus } from './projector.ts';

const prefix = 'clustral_projections_';

/** The status as an object for people. Seconds are whole; null where nothing is known (yet). */
export function detailOf({ lag, position, caughtUp, halted, facts }: ProjectorStatus, now: number) {
  // What stopped stays behind: its last sign of life is never young enough to say that all is well.
  const at = halted === undefined ? now : Number.NEGATIVE_INFINITY;
  const seconds = secondsBehind({ at, currentAt: lag.currentAt ?? null, events: lag.events }, now);
  return {
    caughtUp,
    halted: halted ?? null,
    position: position === undefined ? null : String(position),
    logPosition: lag.head === undefined ? null : String(lag.head),
    lagEvents: lag.events,
    lagSeconds: seconds ?? null,
    factsApplied: facts,
  };
}

/** The status as Prometheus reads it. */
export function metricsText(status: ProjectorStatus, now: number): string {
  const { caughtUp, halted, position, logPosition, lagEvents, lagSeconds, factsApplied } = detailOf(status, now);
  const rows: readonly (readonly [name: string, kind: 'gauge' | 'counter', help: string, value: unknown])[] = [
    [
      'caught_up',
      'gauge',
      'Whether the read models were built up to the live end of the log since the start.',
      caughtUp,
    ],
    [
      'halted',
      'gauge',
      'Whether a fact that cannot be applied stopped the projections: raise an alarm.',
      halted !== null,
    ],
    ['position', 'gauge', 'Log position that the read models include.', position],
    ['log_position', 'gauge', 'Log position of the newest fact.', logPosition],
    ['lag_events', 'gauge', 'Log positions between the two.', lagEvents],
    ['lag_seconds', 'gauge', 'Seconds since the read models were last whole; 0 while they are.', lagSeconds],
    ['facts_total', 'counter', 'Facts applied since the start.', factsApplied],
  ];
  const lines = rows.flatMap(([name, kind, help, value]) =>
    value === null
      ? []
      : [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} ${kind}`, `${prefix}${name} ${Number(value)}`],
  );
  return `${lines.join('\n')}\n`;
}
