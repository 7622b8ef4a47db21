/** The names for what a command line expects: from this machine's files and from the cache of what the server knows. Asks nobody. */
import { accountsOf, profileNamed, type Account, type Profile } from '../profile.ts';
import { profileNames } from '../profiles.ts';
import { formats } from '../output.ts';
import { settingKeys } from '../settings.ts';
import type { Kind } from './expected.ts';
import type { Named, Names } from './names-cache.ts';
import { shells } from './shells.ts';

export type Sources = {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly profile: Profile;
  readonly account: Account | undefined;
  /** What the server knows, as last fetched. */
  readonly names: Names;
  /** The words before the one that is completed. */
  readonly before: readonly string[];
};

const plain = (values: readonly string[]): readonly Named[] => values.map((value) => ({ value, text: '' }));

/** Names of that kind. */
export async function namesOf(kind: Exclude<Kind, 'file'>, sources: Sources): Promise<readonly Named[]> {
  const { home, env, profile, names } = sources;
  switch (kind) {
    case 'cluster':
      return names.clusters;
    case 'role':
      return names.roles;
    case 'pending request':
      return names.pending;
    case 'granted request':
      return names.granted;
    case 'account':
      return accountsOf(profile).map(({ displayName, name }) => ({ value: displayName, text: name }));
    case 'profile':
      return profileNames(home).map((name) => ({ value: name, text: profileNamed(home, name).config?.server ?? '' }));
    case 'server':
      return plain([...new Set(profileNames(home).flatMap((name) => profileNamed(home, name).config?.server ?? []))]);
    case 'format':
      return plain(formats);
    case 'shell':
      return plain(shells);
    case 'setting':
      return plain(settingKeys);
    case 'setting value':
      return settingValues(sources);
    case 'context': {
      const { contextsIn, kubeconfigFiles } = await import('../kubeconfig.ts');
      return plain(contextsIn(kubeconfigFiles(undefined, env)).map(({ name }) => name));
    }
    default:
      return kind satisfies never;
  }
}

function settingValues({ home, before }: Sources): readonly Named[] {
  const values: Readonly<Record<string, readonly string[]>> = {
    profile: profileNames(home),
    output: formats,
    'auto-login': ['ask', 'never'],
  };
  const key = before.findLast((word) => Object.hasOwn(values, word));
  return plain(key === undefined ? [] : (values[key] ?? []));
}
