/**
 * A profile and its accounts: which installation, and who is signed in there. Each profile has its server and the accounts of everybody who signed in,
 * one of them current; an account's file is named by the SHA-256 of server, issuer and subject, so that nothing from a server becomes a path.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDiscoveryDocument, type DiscoveryDocument } from '@clustral/schemas/discovery.ts';
import { CliError, exitCodes } from './failure.ts';
import { hasTexts, readJson, remove, writeJson } from './files.ts';
import { isProfileName, resolveSetting } from './settings.ts';
import { visible } from './text.ts';

export type ProfileConfig = {
  /** Origin of the server as it was signed in to. */
  readonly server: string;
  readonly discovery: DiscoveryDocument;
  /** The CA that the server's certificate is verified with instead of the machine's list, PEM. */
  readonly caPem?: string;
  /** File name of the current account, without `.json`. */
  readonly account?: string;
};

export type Account = {
  readonly server: string;
  readonly issuer: string;
  readonly subject: string;
  /** E-mail, else user name, else subject. */
  readonly displayName: string;
  /** User name at the provider, when it named one. */
  readonly username?: string;
  readonly name: string;
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** ISO 8601. */
  readonly accessTokenExpiresAt: string;
  /** When the refresh token ends, where the provider says so; ISO 8601. */
  readonly sessionEndsAt?: string;
  readonly signedInAt: string;
};

/** Where a profile keeps what. */
export type Profile = { readonly name: string; readonly folder: string; readonly config: ProfileConfig | undefined };

/** What chose a profile: the flag's value, and `CLUSTRAL_PROFILE`. */
export type ProfileChoice = { readonly flag?: string | undefined; readonly variable?: string | undefined };

const keyForm = /^[0-9a-f]{64}$/;

/** The profile in use: the flag's, else `CLUSTRAL_PROFILE`, else the current one, else `default`. */
export function openProfile(home: string, { flag, variable }: ProfileChoice = {}): Profile {
  return profileNamed(home, resolveSetting(home, 'profile', { flag, variable: ['CLUSTRAL_PROFILE', variable] }).value);
}

/** The profile of that name, whether it is there or not. Throws a usage error for what cannot be a name. */
export function profileNamed(home: string, name: string): Profile {
  checkProfileName(name);
  const folder = join(profilesFolder(home), name);
  return { name, folder, config: readJson(join(folder, 'config.json'), isProfileConfig) };
}

/** Throws a usage error for what cannot be the name of a profile, and so of a folder (ID-12). */
export function checkProfileName(name: string): void {
  if (isProfileName(name)) return;
  throw new CliError(
    exitCodes.usage,
    `'${visible(name)}' cannot be the name of a profile`,
    'use lower-case letters, digits, dots, dashes',
  );
}

/** The folder of all profiles. */
export const profilesFolder = (home: string): string => join(home, 'profiles');

/** Saves a profile's configuration. */
export const saveProfile = (profile: Profile, config: ProfileConfig): Promise<void> =>
  writeJson(join(profile.folder, 'config.json'), config);

/** File name of an account, without `.json`. */
export function accountKey(account: Pick<Account, 'server' | 'issuer' | 'subject'>): string {
  // Loaded here: 'whoami' needs no digest, and the module takes 4 ms of its 100.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update([account.server, account.issuer, account.subject].join('\0')).digest('hex');
}

/** The signed-in account of a profile, or undefined. */
export function currentAccount(profile: Profile): Account | undefined {
  const key = profile.config?.account;
  return key === undefined || !keyForm.test(key) ? undefined : readAccount(profile, key);
}

/** Every account that is kept in the profile, the latest sign-in first. One may be of a server that the profile was for before. */
export function accountsOf(profile: Profile): readonly Account[] {
  return accountKeysOf(profile)
    .map((key) => readAccount(profile, key))
    .filter((account) => account !== undefined)
    .toSorted((a, b) => b.signedInAt.localeCompare(a.signedInAt));
}

/** Keys of all accounts that are kept in the profile. */
export function accountKeysOf({ folder }: Pick<Profile, 'folder'>): readonly string[] {
  const accounts = join(folder, 'accounts');
  const files = existsSync(accounts) ? readdirSync(accounts) : [];
  return files.flatMap((file) => /^([0-9a-f]{64})\.json$/.exec(file)?.[1] ?? []);
}

/** The account with that key as it stands on disk now: another process may have renewed or removed it. */
export function readAccount(profile: Profile, key: string): Account | undefined {
  return readJson(accountFile(profile, key), isAccount);
}

/** Saves an account's tokens. */
export const saveAccount = (profile: Profile, account: Account): Promise<void> =>
  writeJson(accountFile(profile, accountKey(account)), account);

/** Forgets the account's tokens and every cached credential of it. */
export function forgetAccount(profile: Profile, account: Account): void {
  remove(accountFile(profile, accountKey(account)));
  remove(cacheFolder(profile, account));
}

/** The file of an account's tokens. */
export const accountFile = (profile: Pick<Profile, 'folder'>, key: string): string =>
  join(profile.folder, 'accounts', `${key}.json`);

/** Folder of an account's cached kubeconfig credentials. */
export const cacheFolder = (profile: Pick<Profile, 'folder'>, account: Account): string =>
  join(profile.folder, 'cache', accountKey(account));

/** The current account, or a failure with exit code 4 that says how to sign in. */
export function requireAccount(profile: Profile): { config: ProfileConfig; account: Account } {
  const account = currentAccount(profile);
  if (profile.config === undefined || account === undefined) throw nobody(profile);
  return { config: profile.config, account };
}

/** What is said when nobody is signed in: exit code 4, and how to sign in. */
export function nobody(profile: Profile): CliError {
  const where = profile.config === undefined ? '<host>' : profile.config.server;
  const whose = profile.name === 'default' ? '' : ` (profile ${profile.name})`;
  return new CliError(exitCodes.signInNeeded, `nobody is signed in${whose}`, `clustral login ${where}`);
}

function isProfileConfig(json: unknown): json is ProfileConfig {
  return hasTexts(json, ['server']) && 'document' in parseDiscoveryDocument(Reflect.get(json as object, 'discovery'));
}

function isAccount(json: unknown): json is Account {
  const texts = 'server issuer subject displayName name accessToken accessTokenExpiresAt signedInAt';
  return hasTexts(json, texts.split(' '));
}
