/**
 * The agent's file system, whole: node, the libraries that node is linked to, the agent's sources as its imports reach them, and the
 * packages these need. No shell, no package manager, nothing else. The image is made from it, and so is the one that is tried in a pod.
 * usage: node infra/images/gather.ts FOLDER
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';

const root = realpathSync(join(import.meta.dirname, '..', '..'));
const modules = join(root, 'node_modules');

export const agentCommand = ['/usr/local/bin/node', '/app/agent/main.ts'] as const;
/** Nobody in particular: the usual number of images without a root user. */
export const agentUser = 65_532;

/** An import or export that stays when types are taken away. */
const kept = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
/** What packages carry for editors and readers only. */
const unused = /\.(?:[cm]?ts|map|md|markdown)$/;

/** Writes it into an empty folder. */
export function gatherAgent(folder: string): void {
  const { sources, packages } = reachedFrom(join(root, 'agent', 'main.ts'));
  const app = join(folder, 'app');
  const put = (path: string): void => cpSync(path, join(app, relative(root, path)), { recursive: true });
  for (const path of sources) put(path);
  for (const path of packages) {
    cpSync(path, join(app, relative(root, path)), {
      recursive: true,
      filter: (file) => !unused.test(file) && !file.slice(path.length).includes('/node_modules'),
    });
  }
  mkdirSync(join(app, 'node_modules', '@clustral'), { recursive: true });
  for (const [name, place] of [
    ['schemas', 'schemas'],
    ['kernel', 'services/kernel'],
  ] as const) {
    put(join(root, place, 'package.json'));
    symlinkSync(join('..', '..', place), join(app, 'node_modules', '@clustral', name));
  }
  put(join(root, 'agent', 'package.json'));
  putNode(folder);
  mkdirSync(join(folder, 'etc'));
  writeFileSync(join(folder, 'etc', 'passwd'), `agent:x:${agentUser}:${agentUser}::/:/sbin/nologin\n`);
  writeFileSync(join(folder, 'etc', 'group'), `agent:x:${agentUser}:\n`);
}

function reachedFrom(start: string): { readonly sources: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const sources = new Set<string>([start]);
  const packages = new Set<string>();
  // A set gives those too that were added while it is walked.
  for (const path of sources) {
    if (!path.endsWith('.ts')) continue;
    for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(kept)) {
      if (specifier.startsWith('node:') || builtinModules.includes(specifier)) continue;
      if (specifier.startsWith('.')) sources.add(join(dirname(path), specifier));
      else if (specifier.startsWith('@clustral/')) sources.add(realpathSync(join(modules, specifier)));
      else addPackage(packageName(specifier), { from: root, to: packages });
    }
  }
  return { sources, packages };
}

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

type Manifest = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};

function addPackage(name: string, { from, to }: { readonly from: string; readonly to: Set<string> }): void {
  const path = installed(name, from);
  if (path === undefined) throw new Error(`${name}, which ${from} needs, is not installed`);
  if (to.has(path)) return;
  to.add(path);
  const { dependencies = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest;
  for (const needed of Object.keys(dependencies)) addPackage(needed, { from: path, to });
}

// As node looks for it: in each folder upwards.
function installed(name: string, from: string): string | undefined {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(path)) return path;
  }
  return undefined;
}

function putNode(folder: string): void {
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
  const files = [...libraries].map(([, library = '']) => [library, library] as const);
  for (const [from, to] of [...files, [process.execPath, agentCommand[0]] as const]) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(from, join(folder, to));
    chmodSync(join(folder, to), 0o755);
  }
}

if (import.meta.main) {
  const [, , folder] = process.argv;
  if (folder === undefined) throw new Error('usage: node infra/images/gather.ts FOLDER');
  gatherAgent(folder);
}
