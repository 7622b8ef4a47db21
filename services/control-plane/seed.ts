/**
 * What an installation holds at first, as a wish in a file (`SEED_PATH`): roles, clusters with their bootstrap tokens, standing assignments. It goes through
 * the same deciders as an administrator's commands, under an actor of its own. The rule it lives by: what was ever there is left alone, so a deleted role stays
 * deleted and a second start changes nothing.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseClusterId, type RoleId } from '@clustral/schemas/ids.ts';
import { accessStream } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { derivedUuid } from './derived-id.ts';
import { evolveAccess, initialAccess } from './domain/access.ts';
import { assignRole } from './domain/assignment.ts';
import { evolveCluster, initialCluster, issueBootstrapToken, registerCluster } from './domain/cluster.ts';
import { createRole, evolveRole, initialRole } from './domain/role.ts';
import { userIdOf } from './person.ts';
import type { BootstrapTokens } from './bootstrap-tokens.ts';
import type { Cause, Commands, Policy } from './ports.ts';

/** The file's content. Roles and clusters are referred to by name; people by issuer and subject, before they ever signed in. */
export type Seed = {
  readonly roles: readonly {
    readonly name: string;
    readonly description: string;
    readonly k8sGroups: readonly string[];
  }[];
  readonly clusters: readonly {
    readonly id: string;
    readonly name: string;
    readonly description: string;
    readonly bootstrapTokenFile: string;
  }[];
  readonly assignments: readonly {
    readonly issuer: string;
    readonly subject: string;
    readonly cluster: string;
    readonly role: string;
  }[];
};

export type SeedDependencies = {
  readonly policy: Policy;
  readonly commands: Commands;
  readonly bootstrapTokens: BootstrapTokens;
  readonly now: () => Date;
};

/** Fulfils the wish of the file. Throws when the file cannot be read; a second call does nothing. */
export async function plantSeed(file: string, dependencies: SeedDependencies): Promise<void> {
  const seed = JSON.parse(readFileSync(file, 'utf8')) as Seed;
  for (const role of seed.roles) await plantRole(role, dependencies);
  for (const cluster of seed.clusters) await plantCluster(cluster, dependencies);
  for (const assignment of seed.assignments) await plantAssignment(assignment, seed, dependencies);
}

const seedRoleId = (name: string): RoleId => derivedUuid('seed', 'role', name) as RoleId;

async function plantRole(role: Seed['roles'][number], { commands, policy }: SeedDependencies): Promise<void> {
  const roleId = seedRoleId(role.name);
  await commands.run({
    stream: roleStream(roleId),
    initial: initialRole,
    evolve: evolveRole,
    exclusive: 'role-names',
    cause: cause(roleId),
    decide: (state) =>
      state.status !== 'absent' || policy.roleByName(role.name)
        ? []
        : createRole({ ...role, roleId, review: undefined, nameHolder: undefined }, state),
  });
}

async function plantCluster(
  { id, name, description, bootstrapTokenFile }: Seed['clusters'][number],
  dependencies: SeedDependencies,
): Promise<void> {
  const { commands, policy, bootstrapTokens, now } = dependencies;
  const clusterId = parseClusterId(id);
  const issued = bootstrapTokens.issue(clusterId);
  let token: string | undefined;
  await commands.run({
    stream: clusterStream(clusterId),
    initial: initialCluster,
    evolve: evolveCluster,
    exclusive: 'cluster-names',
    cause: cause(clusterId),
    decide: (state) => {
      token = undefined;
      if (state.status === 'deleted') return [];
      if (state.status === 'absent') {
        if (policy.clusterByName(name)) return [];
        token = issued.token;
        return registerCluster(
          { clusterId, name, description, labels: {}, nameHolder: undefined, token: issued.record },
          state,
        );
      }
      if (state.bootstrap === null || state.bootstrap.redeemed !== null) return [];
      const isGood = Date.parse(state.bootstrap.expiresAt) > now().getTime() && existsSync(bootstrapTokenFile);
      if (isGood) return [];
      token = issued.token;
      return issueBootstrapToken({ clusterId, token: issued.record }, state);
    },
  });
  if (token !== undefined) writeFileSync(bootstrapTokenFile, token, { mode: 0o600 });
}

async function plantAssignment(
  { issuer, subject, cluster, role }: Seed['assignments'][number],
  seed: Seed,
  { commands, policy }: SeedDependencies,
): Promise<void> {
  const named = seed.clusters.find(({ name }) => name === cluster);
  if (!named) throw new Error(`the seed assigns ${role} on '${cluster}', which is none of its clusters`);
  const clusterId = parseClusterId(named.id);
  const roleId = seedRoleId(role);
  if (policy.role(roleId)?.status !== 'active' || policy.cluster(clusterId)?.status !== 'registered') return;
  const userId = userIdOf(issuer, subject);
  await commands.run({
    stream: accessStream(userId, clusterId),
    initial: initialAccess,
    evolve: evolveAccess,
    cause: cause(`${userId}.${clusterId}`),
    decide: (state) =>
      state.status === 'absent'
        ? assignRole(
            { assignmentId: derivedUuid('seed', 'assignment', userId, clusterId), userId, clusterId, roleId },
            state,
          )
        : [],
  });
}

const cause = (what: string): Cause => ({
  actor: { kind: 'service', id: 'seed' },
  $correlationId: derivedUuid('seed', what),
});
