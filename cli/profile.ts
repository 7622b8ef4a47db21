/**
 * Profiles and accounts: which installation, and who is signed in there. `config.json` names the current profile, each profile has its server
 * and accounts; an account's file is named by the SHA-256 of server, issuer and subject, so that nothing from a server becomes a path.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DiscoveryDocument } from '@clustral/schemas/discovery.ts';
import { CliError, exitCodes } from './failure.ts';
import { readJson, remove, writeJson } from './files.ts';

export type ProfileConfig = {
  readonly server: string;
  readonly discovery: DiscoveryDocument;
  /** CA to trust for this server beside the system's, PEM. */
  readonly caPem?: string;
  /** File name of the current account, without `.json`. */
  readonly account?: string;
};

export type Account = {
  readonly server: string;
  readonly issuer: string;
  readonly subject: string;
  readonly displayName: string;
  readonly name: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly idToken?: string;
  /** ISO 8601. */
  readonly accessTokenExpiresAt: string;
  readonly signedInAt: string;
};

/** Where a profile keeps what. */
export type Profile = { readonly name: string; readonly folder: string; readonly config: ProfileConfig | undefined };

const nameForm = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** The profile in use: the flag's, else `CLUSTRAL_PROFILE`, else the current one, else `default`. */
export function openProfile(home: string, asked: string | undefined): Profile {
  const name = asked ?? readJson<{ currentProfile?: string }>(join(home, 'config.json'))?.currentProfile ?? 'default';
  if (!nameForm.test(name))
    throw new CliError(
      exitCodes.usage,
      `'${name}' cannot be the name of a profile`,
      'use lower-case letters, digits, dots, dashes',
    );
  const folder = join(home, 'profiles', name);
  return { name, folder, config: readJson<ProfileConfig>(join(folder, 'config.json')) };
}

/** Saves a profile's configuration. */
export const saveProfile = (profile: Profile, config: ProfileConfig): Promise<void> =>
  writeJson(join(profile.folder, 'config.json'), config);

/** File name of an account, without `.json`. */
export function accountKey(account: Pick<Account, 'server' | 'issuer' | 'subject'>): string {
  return createHash('sha256').update([account.server, account.issuer, account.subject].join('\0')).digest('hex');
}

/** The signed-in account of a profile, or undefined. */
export function currentAccount(profile: Profile): Account | undefined {
  const key = profile.config?.account;
  if (key === undefined || !/^[0-9a-f]{64}$/.test(key)) return undefined;
  return readJson<Account>(join(profile.folder, 'accounts', `${key}.json`));
}

/** Saves an account's tokens. */
export const saveAccount = (profile: Profile, account: Account): Promise<void> =>
  writeJson(join(profile.folder, 'accounts', `${accountKey(account)}.json`), account);

/** Forgets the account's tokens and every cached credential of it. */
export function forgetAccount(profile: Profile, account: Account): void {
  remove(join(profile.folder, 'accounts', `${accountKey(account)}.json`));
  remove(cacheFolder(profile, account));
}

/** Folder of an account's cached kubeconfig credentials. */
export const cacheFolder = (profile: Pick<Profile, 'folder'>, account: Account): string =>
  join(profile.folder, 'cache', accountKey(account));

/** The account, or a failure with exit code 4 that says how to sign in. */
export function requireAccount(profile: Profile): { config: ProfileConfig; account: Account } {
  const account = currentAccount(profile);
  if (profile.config === undefined || account === undefined) {
    const where = profile.config === undefined ? '<host>' : profile.config.server;
    throw new CliError(
      exitCodes.signInNeeded,
      `nobody is signed in (profile ${profile.name})`,
      `clustral login ${where}`,
    );
  }
  return { config: profile.config, account };
}
