/**
 * All profiles of this machine: which there are, making one, taking one away. `default` is always there, made or not, and cannot be deleted. A profile is
 * a folder of that name and nothing else, never a link (ID-12).
 */
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lifeOf } from './account-choice.ts';
import { CliError, exitCodes } from './failure.ts';
import { remove } from './files.ts';
import {
  accountKeysOf,
  checkProfileName,
  currentAccount,
  profileNamed,
  profilesFolder,
  readAccount,
  type Account,
  type Profile,
} from './profile.ts';
import { isProfileName, readSettings, saveSetting } from './settings.ts';
import { didYouMean, visible } from './text.ts';

/** The profile that is always there. */
export const defaultProfile = 'default';

/** Names of all profiles, `default` first, then by name. */
export function profileNames(home: string): readonly string[] {
  const others = foldersIn(profilesFolder(home)).filter((name) => name !== defaultProfile && isProfileName(name));
  return [defaultProfile, ...others.toSorted()];
}

function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new CliError(exitCodes.failed, `cannot read ${visible(path)} (${code})`, 'check who owns it');
  }
}

/** Throws exit code 3 with the nearest known name when there is no profile of that name, 2 for what cannot be a name. */
export function requireProfile(home: string, name: string): void {
  checkProfileName(name);
  const names = profileNames(home);
  if (names.includes(name)) return;
  const meant = didYouMean(name, names);
  throw new CliError(
    exitCodes.notFound,
    `there is no profile '${name}'`,
    meant === undefined ? `clustral profiles create ${name}` : `did you mean '${meant}'?`,
  );
}

/** What can be read of a profile that is to go: a damaged file is no obstacle then. */
export function readableProfile(home: string, name: string): { profile: Profile; accounts: readonly Account[] } {
  const damaged: Profile = { name, folder: join(profilesFolder(home), name), config: undefined };
  const profile = unlessDamaged(() => profileNamed(home, name)) ?? damaged;
  const accounts = accountKeysOf(profile).map((key) => unlessDamaged(() => readAccount(profile, key)));
  return { profile, accounts: accounts.filter((account) => account !== undefined) };
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof CliError && cause.exitCode === exitCodes.failed) return undefined;
    throw cause;
  }
}

/** Makes a profile. Throws exit code 6 when it is there already, 2 for what cannot be a name. */
export function createProfile(home: string, name: string): Profile {
  const profile = profileNamed(home, name);
  const isThere = name === defaultProfile || lstatSync(profile.folder, { throwIfNoEntry: false }) !== undefined;
  if (isThere)
    throw new CliError(exitCodes.conflict, `there is a profile '${name}' already`, `clustral profiles use ${name}`);
  try {
    mkdirSync(profile.folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError(
      exitCodes.failed,
      `cannot make ${visible(profile.folder)} (${code})`,
      'check the permissions of its folder',
    );
  }
  return profile;
}

/** Takes a profile's files away; when it was the saved one, `default` is it from now on. Returns whether it was. */
export async function removeProfile(home: string, profile: Profile): Promise<boolean> {
  const wasCurrent = readSettings(home).currentProfile === profile.name;
  // First, so that nothing names a profile that is gone.
  if (wasCurrent) await saveSetting(home, 'profile', undefined);
  remove(profile.folder);
  return wasCurrent;
}

/** How a profile stands, in the words of `profiles list`. */
export function statusOf(profile: Profile, { isActive, now }: { isActive: boolean; now: Date }): string {
  const account = currentAccount(profile);
  const session =
    account === undefined ? 'not logged in' : lifeOf(account, now).isOver ? 'session expired' : 'logged in';
  if (isActive) return session === 'logged in' ? 'active' : `active, ${session}`;
  return session === 'not logged in' ? '—' : session;
}

/**
 * The profile that is for that server: the one in use if it is, else the only one. Throws exit code 4 when no profile knows the server and 2 when
 * several do.
 */
export function profileFor(home: string, server: URL, inUse: Profile): Profile {
  if (inUse.config?.server === server.origin) return inUse;
  const found = profileNames(home)
    .map((name) => profileNamed(home, name))
    .filter(({ config }) => config?.server === server.origin);
  const [profile, another] = found;
  if (profile === undefined)
    throw new CliError(
      exitCodes.signInNeeded,
      `nobody is signed in to ${server.origin}`,
      `clustral login ${server.origin}`,
    );
  if (another !== undefined)
    throw new CliError(
      exitCodes.usage,
      `several profiles are for ${server.origin}: ${found.map(({ name }) => name).join(', ')}`,
      'choose one with --profile',
    );
  return profile;
}
