/**
 * Refreshing the caches of completion in the background: a process of its own that nobody waits for, that says nothing and ends within seconds. It never
 * renews a session: whoever presses a key has not asked for that, and a renewal cut short would end the session.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliContext } from '../context.ts';
import { accountKey, readAccount, type Account, type Profile } from '../profile.ts';
import { completionFolder, readFlags, writeFlags } from './flags-cache.ts';
import { noNames, readNames, writeNames, type Named, type Names } from './names-cache.ts';

/** Told to the hidden command to refresh instead of to answer. */
export const refreshFlag = '--refresh';

const pauseMs = 10_000;
const callLimitMs = 3_000;
const lifeLimitMs = 6_000;
const page = 200;

/** For whom names are fetched; nobody when nobody is signed in. */
export type Whose = { readonly profile: Profile; readonly account: Account | undefined };

/** Its age says when the last refresh began. */
const stampFile = (home: string): string => join(completionFolder(home), 'refreshed');

/** Starts a refresh when one is due and none began in the last ten seconds. Never in CI. */
export function refreshInBackground({ home, env, now }: CliContext, whose: Whose): void {
  const [script] = process.argv.slice(1);
  if (env['CI'] || script === undefined || !isDue({ home, now: now() }, whose)) return;
  if (!claim(home, now())) return;
  const of =
    whose.account === undefined ? [] : ['--profile', whose.profile.name, '--account', accountKey(whose.account)];
  const child = spawn(process.execPath, [...process.execArgv, script, '__complete', refreshFlag, ...of], {
    detached: true,
    stdio: 'ignore',
    env: env as NodeJS.ProcessEnv,
  });
  // No process to be had: then the next press of the key tries again.
  child.once('error', () => undefined);
  child.unref();
}

function isDue({ home, now }: { home: string; now: Date }, { profile, account }: Whose): boolean {
  return readFlags(home, now).isDue || (account !== undefined && readNames({ profile, account, now }).isDue);
}

function claim(home: string, now: Date): boolean {
  const stamp = stampFile(home);
  try {
    const age = now.getTime() - (statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age >= 0 && age < pauseMs) return false;
    mkdirSync(completionFolder(home), { recursive: true, mode: 0o700 });
    writeFileSync(stamp, '', { mode: 0o600 });
    return true;
  } catch {
    // A read-only home: nothing could be kept of what is fetched.
    return false;
  }
}

/** Refreshes what is due. Whatever fails stays as it was. */
export async function refresh(
  { home, now }: Pick<CliContext, 'home' | 'now'>,
  { profile, account }: Whose,
): Promise<void> {
  setTimeout(() => process.exit(0), lifeLimitMs).unref();
  const at = now();
  if (account !== undefined && readNames({ profile, account, now: at }).isDue)
    await fetchNames(profile, account, now).then(
      // Signed out meanwhile: then nothing of the account may come back.
      (names) =>
        names !== undefined && readAccount(profile, accountKey(account)) !== undefined
          ? writeNames({ profile, account, now: at }, names)
          : undefined,
      () => undefined,
    );
  if (readFlags(home, at).isDue) await writeFlags(home, at);
}

async function fetchNames(profile: Profile, account: Account, now: () => Date): Promise<Names | undefined> {
  const { config } = profile;
  if (config === undefined) return undefined;
  const [{ openSession }, { ClusterService }, { RoleService }, { AccessService, AccessRequestStatus }] =
    await Promise.all([
      import('../client.ts'),
      import('@clustral/schemas/gen/clustral/v1/clusters_pb.ts'),
      import('@clustral/schemas/gen/clustral/v1/roles_pb.ts'),
      import('@clustral/schemas/gen/clustral/v1/access_pb.ts'),
    ]);
  const { refreshToken: _unused, ...withoutRenewal } = account;
  const options = { profile, config, account: withoutRenewal, isKept: false, timeoutMs: callLimitMs, now };
  const session = openSession(options);
  const { PENDING, APPROVED } = AccessRequestStatus;
  const requests = (status: typeof PENDING | typeof APPROVED): Promise<readonly Named[]> =>
    session
      .client(AccessService)
      .listAccessRequests({ pageSize: page, status })
      .then((answer) =>
        answer.requests.map(({ id, requesterName, roleName, clusterName }) => ({
          value: id,
          text: `${requesterName}: ${roleName} on ${clusterName}`,
        })),
      );
  const [clusters, roles, pending, granted] = await Promise.allSettled([
    session
      .client(ClusterService)
      .listClusters({ pageSize: page })
      .then((answer) => answer.clusters.map(({ name, description }) => ({ value: name, text: description }))),
    session
      .client(RoleService)
      .listRoles({ pageSize: page })
      .then((answer) => answer.roles.map(({ name, description }) => ({ value: name, text: description }))),
    requests(PENDING),
    requests(APPROVED),
  ]);
  const answers = [clusters, roles, pending, granted];
  // Not one answer: the server is away, and older names are better than none.
  if (answers.every(({ status }) => status === 'rejected')) return undefined;
  const [clusterNames = [], roleNames = [], pendingOnes = [], grantedOnes = []] = answers.map((answer) =>
    answer.status === 'fulfilled' ? answer.value : [],
  );
  return { ...noNames, clusters: clusterNames, roles: roleNames, pending: pendingOnes, granted: grantedOnes };
}
