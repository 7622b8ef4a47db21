/** `npm run fix`: repairs what the tools can repair by themselves: lint, format, protobuf format, generated code, pages and manifests. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorFiles } from './error-pages.ts';
import { writeManifests } from '../k8s/generate.ts';

const root = join(import.meta.dirname, '..', '..');

const steps: readonly (readonly [tool: string, args: readonly string[], folder: string])[] = [
  ['buf', ['format', '-w'], 'schemas'],
  ['buf', ['generate'], 'schemas'],
  ['oxlint', ['--type-aware', '--fix', '.'], '.'],
  ['oxfmt', ['.'], '.'],
];

for (const [tool, args, folder] of steps) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd: join(root, folder),
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

const pages = join(root, 'infra', 'docs', 'errors');
rmSync(pages, { recursive: true, force: true });
mkdirSync(pages, { recursive: true });
for (const [name, text] of errorFiles()) writeFileSync(join(pages, name), text);

writeManifests();
