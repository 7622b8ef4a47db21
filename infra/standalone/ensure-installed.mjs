/**
 * Makes a fresh clone usable before anything else runs: on whatever Node there is (20 or newer), it compares what is installed
 * with the lock file and runs `npm ci` when they differ. It must work without any package and in old syntax, so it is plain
 * JavaScript. npm scripts that follow run on the Node 24 that the lock file brings.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const oldest = 20;
const runsOn = [24, 17];

const [major] = versionOf(process.versions.node);
if (major < oldest)
  stop(`Node ${process.versions.node} is too old: Clustral needs Node ${oldest} or newer to install itself.`);
if (!isInstalled()) install();
checkRuntime();

function isInstalled() {
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  const wanted = readJson(join(root, 'package-lock.json'));
  if (!wanted) stop('package-lock.json is missing or damaged: clone the repository again.');
  if (!installed) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '' || !path.includes('node_modules/')) return true;
    if (entry.link || !fitsHere(entry)) return true;
    const there = installed.packages[path];
    return there
      ? there.version === entry.version && there.integrity === entry.integrity
      : Boolean(entry.optional) && !isRuntime(path);
  });
}

function fitsHere(entry) {
  const fits = (list, value) => !list || (list.includes(value) && !list.includes(`!${value}`));
  return fits(entry.os, process.platform) && fits(entry.cpu, process.arch);
}

function isRuntime(path) {
  return /^node_modules\/node-(linux|darwin|win)-/.test(path);
}

function install() {
  console.log('Installing packages (once, about 30 s) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) stop("'npm ci' did not succeed: its lines above say why. Nothing was started.");
}

function checkRuntime() {
  const bundled = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  const [here, minor] = versionOf(process.versions.node);
  if (existsSync(bundled) || here > runsOn[0] || (here === runsOn[0] && minor >= runsOn[1])) return;
  stop(
    `There is no packaged Node for ${process.platform}-${process.arch}: install Node ${runsOn.join('.')} or newer and try again.`,
  );
}

function versionOf(text) {
  return text.split('.').map(Number);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
