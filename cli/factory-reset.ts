/**
 * Everything of this tool taken off the machine: accounts signed out as far as that can be told, kubeconfig contexts, files. First a plan that can be shown
 * and changes nothing; damage is no obstacle, because that is when people reach for this. In the home only what is ours goes.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { CliError } from './failure.ts';
import { remove } from './files.ts';
import { contextsIn, removeContexts } from './kubeconfig.ts';
import { removablePaths } from './own-files.ts';
import type { Account, Profile } from './profile.ts';
import { profileNames, readableProfile } from './profiles.ts';
import { signOut, type SignOutOptions } from './sign-out.ts';
import { visible } from './text.ts';

export type ResetPlan = {
  readonly home: string;
  readonly kubeconfigs: readonly string[];
  readonly profiles: readonly { readonly profile: Profile; readonly accounts: readonly Account[] }[];
  readonly contexts: readonly string[];
  readonly paths: readonly string[];
};

/** What a reset would remove now. Names what it cannot read with `warn`. */
export function planReset(home: string, kubeconfigs: readonly string[], warn: (line: string) => void): ResetPlan {
  return {
    home,
    kubeconfigs,
    profiles: profileNames(home).map((name) => readableProfile(home, name)),
    contexts: kubeconfigs.flatMap((file) => contextNames(file, warn)),
    paths: removablePaths(home).filter((path) => existsSync(path)),
  };
}

function contextNames(file: string, warn: (line: string) => void): readonly string[] {
  try {
    return contextsIn([file]).map(({ name }) => name);
  } catch (cause) {
    if (!(cause instanceof CliError)) throw cause;
    warn(`${cause.message}: what is ours in it stays.`);
    return [];
  }
}

/** The plan in lines: one thing each, what it is first. */
export function planLines({
  profiles,
  contexts,
  paths,
}: ResetPlan): readonly (readonly [what: string, which: string])[] {
  return [
    ...profiles.flatMap(({ accounts }) =>
      accounts.map(({ displayName, server }) => ['account', `${displayName} on ${server}`] as const),
    ),
    ...contexts.map((name) => ['context', name] as const),
    ...paths.map((path) => ['path', path] as const),
  ];
}

/** Carries the plan out. Returns false when a kubeconfig could not be cleaned. */
export async function reset(plan: ResetPlan, call: Pick<SignOutOptions, 'call' | 'say' | 'warn'>): Promise<boolean> {
  let isClean = true;
  for (const { profile, accounts } of plan.profiles)
    isClean = (await signOut({ ...call, profile, accounts, kubeconfigs: plan.kubeconfigs })) && isClean;
  isClean = (await removeOurContexts(plan, call)) && isClean;
  for (const path of plan.paths) {
    remove(path);
    call.say(`Removed ${visible(path)}.`);
  }
  removeHome(plan.home, call.say);
  return isClean;
}

/** Contexts of accounts that were forgotten before. */
async function removeOurContexts(
  { kubeconfigs }: ResetPlan,
  { say, warn }: Pick<SignOutOptions, 'say' | 'warn'>,
): Promise<boolean> {
  let isClean = true;
  for (const file of kubeconfigs)
    try {
      const removed = await removeContexts([file], () => true);
      if (removed.length > 0) say(`Removed contexts: ${removed.map(visible).join(', ')}.`);
    } catch (cause) {
      if (!(cause instanceof CliError)) throw cause;
      warn(`the contexts are still there: ${cause.message}.`);
      isClean = false;
    }
  return isClean;
}

function removeHome(home: string, say: (line: string) => void): void {
  if (!existsSync(home)) return;
  const left = readdirSync(home);
  if (left.length === 0) rmdirSync(home);
  else say(`Left in ${visible(home)}, which clustral did not write: ${left.map(visible).join(', ')}.`);
}
