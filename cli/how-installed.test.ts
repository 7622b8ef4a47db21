import { describe, expect, it } from 'vitest';
import { installationOf, type Traces } from './how-installed.ts';

const traces = (script: string, more: Partial<Traces> = {}): Traces => ({
  script,
  isSingleFile: false,
  isContainer: false,
  exists: () => false,
  ...more,
});
const only = (...paths: string[]) => ({ exists: (path: string) => paths.includes(path) });

describe('how the tool was installed', () => {
  it.each([
    [
      'npm global',
      traces('/usr/local/lib/node_modules/@clustral/cli/clustral.mjs'),
      'npm install -g @clustral/cli@latest',
      'npm install -g @clustral/cli@next',
    ],
    [
      'npm project',
      traces('/home/me/app/node_modules/@clustral/cli/clustral.mjs', only('/home/me/app/package.json')),
      'npm install --prefix /home/me/app @clustral/cli@latest',
      'npm install --prefix /home/me/app @clustral/cli@next',
    ],
    [
      'clone',
      traces("/home/me/o'hara/clustral/cli/clustral.mjs", only("/home/me/o'hara/clustral/.git")),
      "git -C '/home/me/o'\\''hara/clustral' pull && npm ci --prefix '/home/me/o'\\''hara/clustral'",
      "git -C '/home/me/o'\\''hara/clustral' pull && npm ci --prefix '/home/me/o'\\''hara/clustral'",
    ],
    [
      'Homebrew',
      traces('/opt/homebrew/Cellar/clustral/0.1.0/libexec/lib/node_modules/@clustral/cli/clustral.mjs'),
      'brew upgrade clustral',
      'npm install -g @clustral/cli@next   (Homebrew has releases only)',
    ],
    [
      'single file',
      traces('/home/me/.local/bin/clustral', { isSingleFile: true }),
      'run the installer again that you downloaded it with',
      'run the installer again that you downloaded it with, and name the pre-release',
    ],
    [
      'container',
      traces('/app/cli/clustral.mjs', { isContainer: true }),
      'pull a newer image and start the container from it',
      'pull the image of the pre-release and start the container from it',
    ],
    [
      'container',
      traces('/usr/local/lib/node_modules/@clustral/cli/clustral.mjs', { isContainer: true }),
      'pull a newer image and start the container from it',
      'pull the image of the pre-release and start the container from it',
    ],
    [
      'clone',
      traces('/work/cli/clustral.mjs', { isContainer: true, ...only('/work/.git') }),
      'git -C /work pull',
      'git',
    ],
  ] as const)('%s: %o', (...[kind, found, update, updateToPre]) => {
    const installation = installationOf(found);
    expect(installation.kind).toBe(kind);
    expect(installation.update.startsWith(update)).toBe(true);
    expect(installation.updateToPre.startsWith(updateToPre)).toBe(true);
  });
});
