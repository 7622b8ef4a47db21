/** `npm run fix`: repairs what the tools can repair by themselves: lint, format, protobuf format, generated code. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

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
