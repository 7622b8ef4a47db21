import { describe, expect, it } from 'vitest';
import { detailOf, metricsText } from './metrics.ts';
import { newStatus, type ProjectorStatus } from './projector.ts';

const running: ProjectorStatus = {
  caughtUp: true,
  halted: undefined,
  position: 90n,
  lag: { head: 95n, events: 5, currentAt: 1_000 },
  facts: 42,
};

describe('the metrics of the projections', () => {
  it('say where they are, how far behind, and since when', () => {
    const lines = metricsText(running, 8_000).split('\n');
    expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
      'clustral_projections_caught_up 1',
      'clustral_projections_halted 0',
      'clustral_projections_position 90',
      'clustral_projections_log_position 95',
      'clustral_projections_lag_events 5',
      'clustral_projections_lag_seconds 7',
      'clustral_projections_facts_total 42',
      '',
    ]);
  });

  it('leave out what is not known yet', () => {
    const text = metricsText(newStatus(), 0);
    expect(text).toContain('clustral_projections_caught_up 0');
    expect(text).not.toMatch(/^clustral_projections_(position|log_position|lag_seconds)/m);
  });

  it('of stopped ones are an alarm, and their lag grows although nothing new came', () => {
    const stopped = { ...running, halted: 'a fact', lag: { head: 90n, events: 0, currentAt: 1_000 } };
    expect(metricsText(stopped, 31_000)).toContain('clustral_projections_halted 1\n');
    expect(detailOf(stopped, 31_000)).toMatchObject({ halted: 'a fact', lagSeconds: 30 });
  });
});
