/**
 * What the embedded default holds at first: the demo cluster, the two roles, and the administrator's role on that cluster. It is written as a wish
 * that the control plane fulfils at its start; what is there already is left alone, whoever changed it since.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Seed } from '@clustral/control-plane/seed.ts';
import { people } from '../embedded/identity-provider/people.ts';
import { DataFolderError } from './data-folder.ts';

/** The seed of this data folder: made at first start and kept, so that the demo cluster keeps its id. */
export function prepareSeed(
  file: string,
  options: { readonly issuer: string; readonly bootstrapTokenFile: string },
): Seed {
  if (existsSync(file)) return checkedIssuer(readSeed(file), options.issuer);
  const admin = people.find(({ roles }) => roles.includes('clustral-admin'));
  if (admin === undefined) throw new Error('the embedded identity provider has no administrator');
  const seed: Seed = {
    roles: [
      { name: 'k8s-admin', description: 'everything, whatever RBAC says', k8sGroups: ['system:masters'] },
      { name: 'k8s-viewer', description: 'read most things, change nothing', k8sGroups: ['clustral:viewers'] },
    ],
    cluster: {
      id: randomUUID(),
      name: 'demo',
      description: 'a stand-in for a cluster, for trying Clustral out',
      bootstrapTokenFile: options.bootstrapTokenFile,
    },
    assignments: [{ issuer: options.issuer, subject: admin.subject, role: 'k8s-admin' }],
  };
  writeFileSync(file, `${JSON.stringify(seed, null, 2)}\n`, { mode: 0o600 });
  return seed;
}

function readSeed(file: string): Seed {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Seed;
  } catch {
    throw new DataFolderError(`${file} is damaged: restore the folder from a backup, or choose another with --data.`);
  }
}

// The issuer is part of every person's identity: under another one the same people would be strangers with taken names (D14).
function checkedIssuer(seed: Seed, issuer: string): Seed {
  const made = seed.assignments[0]?.issuer;
  if (made === undefined || made === issuer) return seed;
  throw new DataFolderError(
    `This data folder was made for --port ${new URL(made).port}, which its sign-in address contains: start with that port, or choose another folder with --data.`,
  );
}
