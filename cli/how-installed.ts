/**
 * How this copy of the tool came to the machine, read off its own path, and the command that brings a newer one in the same way. Pure: nothing is
 * downloaded, replaced or run here or anywhere in this tool (ID-15); the package manager that put it there checks what it fetches.
 */
import { dirname, sep } from 'node:path';

export type Installation = {
  readonly kind: 'npm global' | 'npm project' | 'clone' | 'Homebrew' | 'single file' | 'container';
  /** What to run for a newer one; a sentence where there is no command. */
  readonly update: string;
  /** The same for a pre-release. */
  readonly updateToPre: string;
};

export type Traces = {
  /** Real path of the script that was started. */
  readonly script: string;
  /** True for a program that carries Node in itself. */
  readonly isSingleFile: boolean;
  readonly isContainer: boolean;
  /** True when a path exists. */
  readonly exists: (path: string) => boolean;
};

const packageName = '@clustral/cli';

/** How it was installed. */
export function installationOf({ script, isSingleFile, isContainer, exists }: Traces): Installation {
  const parts = script.split(sep);
  const npm = (flags: string, tag: string): string => `npm install ${flags}${packageName}@${tag}`;
  if (parts.includes('Cellar') || parts.includes('homebrew') || parts.includes('.linuxbrew'))
    return {
      kind: 'Homebrew',
      update: 'brew upgrade clustral',
      updateToPre: `${npm('-g ', 'next')}   (Homebrew has releases only)`,
    };
  if (isSingleFile) {
    const again = 'run the installer again that you downloaded it with';
    return { kind: 'single file', update: again, updateToPre: `${again}, and name the pre-release` };
  }
  const modules = parts.lastIndexOf('node_modules');
  if (modules >= 0) {
    const above = parts.slice(0, modules).join(sep);
    // A project names what it depends on; the folder of all programs does not.
    const isProject = exists(`${above}${sep}package.json`);
    if (!isProject && !isContainer)
      return { kind: 'npm global', update: npm('-g ', 'latest'), updateToPre: npm('-g ', 'next') };
    if (isProject) {
      const where = `--prefix ${quoted(above)} `;
      return { kind: 'npm project', update: npm(where, 'latest'), updateToPre: npm(where, 'next') };
    }
  }
  const clone = dirname(dirname(script));
  if (exists(`${clone}${sep}.git`)) {
    const update = `git -C ${quoted(clone)} pull && npm ci --prefix ${quoted(clone)}`;
    return { kind: 'clone', update, updateToPre: update };
  }
  if (isContainer)
    return {
      kind: 'container',
      update: 'pull a newer image and start the container from it',
      updateToPre: 'pull the image of the pre-release and start the container from it',
    };
  return { kind: 'npm global', update: npm('-g ', 'latest'), updateToPre: npm('-g ', 'next') };
}

/** A path as a shell takes it. */
const quoted = (path: string): string =>
  /^[\w@%+=:,./\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
