/**
 * What the embedded default holds at first: the demo cluster, the two roles, and the administrator's role on that cluster; and, from the
 * first start with a kubeconfig on, the same for the cluster `local`. It is written as a wish that the control plane fulfils at its
 * start; what is there already is left alone, whoever changed it since.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Seed } from '@clustral/control-plane/seed.ts';
import { people } from '../embedded/identity-provider/people.ts';
import { DataFolderError } from './data-folder.ts';

const descriptions = {
  demo: 'a stand-in for a cluster, for trying Clustral out',
  local: 'the cluster of the kubeconfig that npm start was given',
} as const;

export type SeededCluster = keyof typeof descriptions;

export type SeedOptions = {
  readonly issuer: string;
  /** Where the control plane shall put the bootstrap token of each cluster that shall be there. */
  readonly bootstrapTokenFiles: { readonly demo: string; readonly local?: string };
};

/** The seed of this data folder: made at first start and kept, so that its clusters keep their ids; one that is missing is added. */
export function prepareSeed(file: string, { issuer, bootstrapTokenFiles }: SeedOptions): Seed {
  let seed = existsSync(file) ? checkedIssuer(readSeed(file), issuer) : firstSeed;
  for (const name of ['demo', 'local'] as const) {
    const bootstrapTokenFile = bootstrapTokenFiles[name];
    if (bootstrapTokenFile === undefined || seed.clusters.some((cluster) => cluster.name === name)) continue;
    seed = withCluster(seed, { name, issuer, bootstrapTokenFile });
  }
  // Beside it first: a kill must not leave half a file.
  writeFileSync(`${file}.new`, `${JSON.stringify(seed, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return seed;
}

/** Throws when the seed has no such cluster. */
export function seededClusterId(seed: Seed, name: SeededCluster): string {
  const found = seed.clusters.find((cluster) => cluster.name === name);
  if (!found) throw new Error(`the seed has no cluster ${name}`);
  return found.id;
}

const firstSeed: Seed = {
  roles: [
    { name: 'k8s-admin', description: 'everything, whatever RBAC says', k8sGroups: ['system:masters'] },
    { name: 'k8s-viewer', description: 'read most things, change nothing', k8sGroups: ['clustral:viewers'] },
  ],
  clusters: [],
  assignments: [],
};

type Addition = { readonly name: SeededCluster; readonly issuer: string; readonly bootstrapTokenFile: string };

function withCluster(seed: Seed, { name, issuer, bootstrapTokenFile }: Addition): Seed {
  const admin = people.find(({ roles }) => roles.includes('clustral-admin'));
  if (admin === undefined) throw new Error('the embedded identity provider has no administrator');
  const cluster = { id: randomUUID(), name, description: descriptions[name], bootstrapTokenFile };
  const assignment = { issuer, subject: admin.subject, cluster: name, role: 'k8s-admin' };
  return { ...seed, clusters: [...seed.clusters, cluster], assignments: [...seed.assignments, assignment] };
}

/** As it was written when there was one cluster only. */
type OneClusterSeed = Pick<Seed, 'roles'> & {
  readonly cluster: Seed['clusters'][number];
  readonly assignments: readonly Omit<Seed['assignments'][number], 'cluster'>[];
};

function readSeed(file: string): Seed {
  let seed: Seed | OneClusterSeed;
  try {
    seed = JSON.parse(readFileSync(file, 'utf8')) as Seed | OneClusterSeed;
  } catch {
    throw new DataFolderError(`${file} is damaged: restore the folder from a backup, or choose another with --data.`);
  }
  if (!('cluster' in seed)) return seed;
  const { roles, cluster, assignments } = seed;
  return {
    roles,
    clusters: [cluster],
    assignments: assignments.map((assignment) => ({ ...assignment, cluster: cluster.name })),
  };
}

// The issuer is part of every person's identity: under another one the same people would be strangers with taken names (D14).
function checkedIssuer(seed: Seed, issuer: string): Seed {
  const made = seed.assignments[0]?.issuer;
  if (made === undefined || made === issuer) return seed;
  throw new DataFolderError(
    `This data folder was made for --port ${new URL(made).port}, which its sign-in address contains: start with that port, or choose another folder with --data.`,
  );
}
