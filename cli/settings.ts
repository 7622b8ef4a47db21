/**
 * What a person has set once for all commands: `~/.clustral/config.json`, a few keys with checked values, no secret. A flag wins over the
 * environment, that over the file, and that over the default; `config show` names where each value comes from. Kept light: every command reads it.
 */
import { join } from 'node:path';
import { CliError, exitCodes } from './failure.ts';
import { readJson, writeJson } from './files.ts';
import { isFormat } from './output.ts';
import { visible } from './text.ts';

/** The file as it is kept. A key of a newer version of this tool stays as it is. */
export type Settings = {
  readonly currentProfile?: string;
  readonly output?: string;
  readonly timeout?: string;
  readonly contextName?: string;
  readonly autoLogin?: string;
};

/** A key as people type it. */
export type SettingKey = 'profile' | 'output' | 'timeout' | 'context-name' | 'auto-login';

/** A value with where it comes from: `flag` and `environment` name the flag or the variable in `from`. */
export type Resolved = {
  readonly value: string;
  readonly source: 'flag' | 'environment' | 'file' | 'default';
  readonly from?: string;
};

type Setting = {
  readonly field: keyof Settings;
  readonly fallback: string;
  readonly isValid: (value: string) => boolean;
  /** What a value must be, after "must be". */
  readonly form: string;
};

/** Letters, digits and `. _ -`: the name is a folder and stands in kubeconfig files (ID-12). */
export const isProfileName = (name: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name);

/** What `parseDuration` takes, as far as can be said without loading it: one unit at least, in order. */
const isDuration = (text: string): boolean => /^(?=\d)(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m)?(\d{1,9}s)?$/i.test(text);

/** With its places filled by the shortest names it must still be the name of a context. */
const isTemplate = (text: string): boolean =>
  text.includes('{cluster}') &&
  /^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,99}$/.test(text.replaceAll('{cluster}', 'c').replaceAll('{profile}', 'p'));

const settings: Readonly<Record<SettingKey, Setting>> = {
  profile: {
    field: 'currentProfile',
    fallback: 'default',
    isValid: isProfileName,
    form: 'the name of a profile: lower-case letters, digits, dots, dashes',
  },
  output: {
    field: 'output',
    fallback: 'table',
    isValid: isFormat,
    form: 'an output format: table, wide, json, jsonl, yaml or name',
  },
  timeout: { field: 'timeout', fallback: '30s', isValid: isDuration, form: 'a duration like 30s or 2m' },
  'context-name': {
    field: 'contextName',
    fallback: 'clustral-{cluster}',
    isValid: isTemplate,
    form: 'the name of a context with {cluster} in it, and {profile} if you like',
  },
  'auto-login': {
    field: 'autoLogin',
    fallback: 'ask',
    isValid: (value) => value === 'ask' || value === 'never',
    form: "'ask' (offer a new sign-in when the session has ended) or 'never'",
  },
};

/** Every key, in the order in which they are shown. */
export const settingKeys = Object.keys(settings) as readonly SettingKey[];

/** The key of that name. Throws a usage error that names the known ones. */
export function settingKey(text: string): SettingKey {
  const key = settingKeys.find((known) => known === text);
  if (key !== undefined) return key;
  throw new CliError(
    exitCodes.usage,
    `there is no setting '${visible(text)}'`,
    `use one of: ${settingKeys.join(', ')}`,
  );
}

/** The settings of the file; empty when there is none. Throws when the file is damaged. */
export function readSettings(home: string): Settings {
  return readJson(settingsFile(home), isSettings) ?? {};
}

/** Path of the file. */
export const settingsFile = (home: string): string => join(home, 'config.json');

/** Checks and saves one value; undefined forgets it. Throws a usage error that says what the value must be. */
export async function saveSetting(home: string, key: SettingKey, value: string | undefined): Promise<void> {
  const { field, isValid, form } = settings[key];
  if (value !== undefined && !isValid(value))
    throw new CliError(exitCodes.usage, `'${visible(value)}' cannot be the setting ${key}: it must be ${form}`);
  const { withLock } = await import('./lock.ts');
  const path = settingsFile(home);
  await withLock(`${path}.lock`, { limitMs: 5_000, busy: 'another clustral is changing the settings' }, () => {
    const { [field]: _before, ...others } = readSettings(home);
    return writeJson(path, value === undefined ? others : { ...others, [field]: value });
  });
}

/** The value of a key with its source. `given` is the flag's, and the environment variable that counts for this key. */
export function resolveSetting(
  home: string,
  key: SettingKey,
  given: {
    readonly flag?: string | undefined;
    readonly variable?: readonly [name: string, value: string | undefined];
  } = {},
): Resolved {
  const [name, fromEnvironment] = given.variable ?? [''];
  if (given.flag !== undefined) return { value: given.flag, source: 'flag', from: `--${key}` };
  if (fromEnvironment) return { value: fromEnvironment, source: 'environment', from: name };
  const saved = readSettings(home)[settings[key].field];
  return saved === undefined ? defaultSetting(key) : { value: saved, source: 'file' };
}

/** The name of a new kubeconfig context by the setting `context-name`. */
export const contextNameOf = (template: string, { cluster, profile }: { cluster: string; profile: string }): string =>
  template.replaceAll('{cluster}', () => cluster).replaceAll('{profile}', () => profile);

/** What counts when nobody chose anything. */
export const defaultSetting = (key: SettingKey): Resolved => ({ value: settings[key].fallback, source: 'default' });

function isSettings(json: unknown): json is Settings {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
  return Object.values(settings).every(({ field, isValid }) => {
    const value: unknown = Reflect.get(json, field);
    return value === undefined || (typeof value === 'string' && isValid(value));
  });
}
