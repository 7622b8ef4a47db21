/**
 * What the log alone must keep to (G3, D18): positions rise, revisions of each stream run from 0 without gap or double, no id is
 * there twice, epochs only rise, and no two living things bear one name. Facts of an epoch that is over are void: they
 * are named, so that nobody counts them.
 */
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Violation } from './violation.ts';

export type StreamFindings = {
  readonly violations: readonly Violation[];
  readonly voidPositions: ReadonlySet<bigint>;
};

/** All that is wrong with the log by itself. */
export function streamViolations(log: readonly Recorded[]): StreamFindings {
  const { voidPositions, faults } = epochs(log);
  const living = log.filter(({ position }) => !voidPositions.has(position));
  const all = [...orderFaults(log), ...faults, ...nameFaults(living)];
  return { voidPositions, violations: all.map((what) => ({ promise: 'G3', what })) };
}

function orderFaults(log: readonly Recorded[]): readonly string[] {
  const faults: string[] = [];
  const revisions = new Map<string, number>();
  const ids = new Map<string, Recorded>();
  let last = -1n;
  for (const fact of log) {
    const { stream, revision, position, id } = fact;
    const due = (revisions.get(stream) ?? -1) + 1;
    if (revision > due) faults.push(`${stream} has no revision ${due}: ${revision} follows ${due - 1}`);
    if (revision < due) faults.push(`${stream} has revision ${revision} again, at position ${position}`);
    revisions.set(stream, revision);
    if (position <= last) faults.push(`position ${position} (${stream}@${revision}) follows ${last}`);
    last = position;
    const other = ids.get(id);
    if (other) faults.push(`the id ${id} is there twice: ${other.stream}@${other.revision} and ${stream}@${revision}`);
    ids.set(id, fact);
  }
  return faults;
}

function epochs(log: readonly Recorded[]): {
  readonly voidPositions: ReadonlySet<bigint>;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const voidPositions = new Set<bigint>();
  let newest = 0;
  for (const { type, data, metadata, position, stream, revision } of log) {
    if (type === 'control_plane.took_over') {
      const { epoch } = data as { readonly epoch: number };
      if (epoch <= newest) faults.push(`epoch ${epoch} was taken at ${stream}@${revision} after epoch ${newest}`);
      else newest = epoch;
    } else if (metadata.epoch < newest) voidPositions.add(position);
    else if (metadata.epoch > newest)
      faults.push(`${stream}@${revision} is of epoch ${metadata.epoch}, which nobody has taken`);
  }
  return { voidPositions, faults };
}

type Named = { readonly name?: string };

function nameFaults(log: readonly Recorded[]): readonly string[] {
  const faults: string[] = [];
  const holders = new Map<string, string>();
  const names = new Map<string, string>();
  const release = (stream: string): void => {
    const name = names.get(stream);
    if (name !== undefined && holders.get(name) === stream) holders.delete(name);
    names.delete(stream);
  };
  for (const { type, stream, data, revision } of log) {
    const [kind = '', verb = ''] = type.split('.');
    if (verb === 'deleted') release(stream);
    if (!['role.created', 'role.updated', 'cluster.registered', 'cluster.updated'].includes(type)) continue;
    release(stream);
    const name = `${kind} ${(data as Named).name}`;
    const holder = holders.get(name);
    if (holder !== undefined) faults.push(`${stream}@${revision} takes the name of ${holder}, which is alive: ${name}`);
    holders.set(name, stream);
    names.set(stream, name);
  }
  return faults;
}
