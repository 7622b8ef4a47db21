/**
 * The session: who is signed in, for how long, and whether the server takes it. A refresh token may be good once only, so none is used to look: an access token
 * that has ended is renewed by the next command, or here with --fix.
 */
import { ClusterService, type Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { UserService, type Access } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { openSession, type Session } from '../client.ts';
import { accountKey, readAccount, type Account } from '../profile.ts';
import { span } from '../text.ts';
import { fail, ok, once, skipped, type Check, type Finding } from './check.ts';
import { serverOf, type Patient } from './patient.ts';

export type Reachable = { readonly access: readonly Access[]; readonly clusters: readonly Cluster[] };

/** The checks of the session, and what the server says when it takes the token; undefined when the token must be renewed first. */
export function sessionChecks(
  patient: Patient,
  limitMs: number,
): { checks: readonly Check[]; reachable: () => Promise<Reachable | undefined> } {
  const reachable = once(() => askReachable(patient, limitMs));
  return {
    reachable,
    checks: [
      { name: 'session', needs: ['server'], run: () => sessionFinding(patient, limitMs) },
      { name: 'account', needs: ['control plane', 'session'], run: async () => accountFinding(await reachable()) },
    ],
  };
}

async function sessionFinding(patient: Patient, limitMs: number): Promise<Finding> {
  const { account } = patient;
  const { config } = serverOf(patient);
  if (account === undefined) return fail('nobody is signed in', `clustral login ${config.server}`);
  const now = patient.context.now().getTime();
  const left = Date.parse(account.accessTokenExpiresAt) - now;
  const who = account.displayName;
  if (account.refreshToken === undefined)
    return left > 0
      ? ok(`${who}, for ${span(left)}`)
      : fail(`the session of ${who} ended ${span(-left)} ago`, `clustral login ${config.server}`);
  if (left > 0) return ok(`${who}, for ${span(left)}, and renews itself`);
  if (!patient.mends) return ok(`${who}; the access token ended ${span(-left)} ago, and the next command renews it`);
  await sessionOf(patient, account, limitMs).ensureSignedIn();
  return ok(`${who}, renewed`);
}

async function askReachable(patient: Patient, limitMs: number): Promise<Reachable | undefined> {
  // As it stands on disk now: the check before may have renewed it.
  const account = patient.account && readAccount(patient.profile, accountKey(patient.account));
  if (account === undefined || Date.parse(account.accessTokenExpiresAt) <= patient.context.now().getTime())
    return undefined;
  const { refreshToken: _kept, ...onlyAccess } = account;
  const session = sessionOf(patient, onlyAccess, limitMs);
  const [{ access }, { clusters }] = await Promise.all([
    session.client(UserService).getMe({}),
    session.client(ClusterService).listClusters({ pageSize: 200 }),
  ]);
  return { access, clusters };
}

function accountFinding(reachable: Reachable | undefined): Finding {
  if (reachable === undefined) return skipped('because the access token must be renewed first, which --fix does');
  const names = reachable.access.map(({ clusterName, roleName }) => `${clusterName} (${roleName})`);
  return ok(
    names.length === 0
      ? 'the server takes the session, which reaches no cluster yet'
      : `the server takes the session, which reaches ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`,
  );
}

function sessionOf(patient: Patient, account: Account, timeoutMs: number): Session {
  const { config } = serverOf(patient);
  const isKept = account.refreshToken !== undefined;
  return openSession({ profile: patient.profile, config, account, timeoutMs, now: patient.context.now, isKept });
}
