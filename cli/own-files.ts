/** Where this tool keeps what: shown by `config`, and how `config clean` knows what is ours to remove. */
import { compileCacheOf } from './compile-cache.ts';
import type { CliContext } from './context.ts';
import { completionFolder } from './completion/flags-cache.ts';
import { kubeconfigFiles } from './kubeconfig.ts';
import { profilesFolder, type Profile } from './profile.ts';
import { settingsFile } from './settings.ts';

export type OwnFile = { readonly what: string; readonly path: string };

/** Files and folders, there or not, and the kubeconfig files that kubectl reads. */
export function ownFiles({ home, env }: Pick<CliContext, 'home' | 'env'>, profile: Profile): readonly OwnFile[] {
  return [
    { what: 'home', path: home },
    { what: 'settings', path: settingsFile(home) },
    { what: 'profile', path: profile.folder },
    ...kubeconfigFiles(undefined, env).map((path) => ({ what: 'kubeconfig', path })),
  ];
}

/** What in the home is ours and may be removed. Nothing else is: the home may be a folder that holds more. */
export const removablePaths = (home: string): readonly string[] => [
  profilesFolder(home),
  settingsFile(home),
  `${settingsFile(home)}.lock`,
  completionFolder(home),
  compileCacheOf(home),
];
