/**
 * Which parts share a process. Few processes keep an idle installation small; what is kept apart is what must be able to die alone: the stores, the one that
 * decides, the one that projects, the edge, and the agents, which in real life are somewhere else.
 */
import type { Environment } from '@clustral/kernel/config.ts';
import type { Assignment } from './child.ts';
import type { PartName } from './parts.ts';

const processes: Readonly<Record<string, readonly PartName[]>> = {
  embedded: ['event-store', 'identity-provider', 'demo-cluster'],
  'control-plane': ['control-plane'],
  projections: ['projections', 'audit'],
  gateway: ['web', 'gateway'],
  agent: ['agent'],
  'local-agent': ['local-agent'],
};

/** The assignments, in the order in which the processes are started. A part without an environment does not run. */
export function assignments(environments: Readonly<Partial<Record<PartName, Environment>>>): readonly Assignment[] {
  return Object.entries(processes)
    .map(([name, names]) => ({
      name,
      parts: names.flatMap((part) => {
        const environment = environments[part];
        return environment ? [{ name: part, environment }] : [];
      }),
      lasting: name === 'embedded' || name === 'control-plane',
    }))
    .filter(({ parts }) => parts.length > 0);
}
