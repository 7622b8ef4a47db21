import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '.data/**', '.e2e/**'];
/** Each of these starts the command line tool as a process some dozen times: a suite of its own, so that `npm test` stays short. */
const commands = 'cli/commands/**/*.int.test.ts';

/** The journeys need a browser; without one they are left out, and `.ci/run` says so. */
const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const withoutBrowser = existsSync(chromium) ? [] : ['infra/e2e/dashboard/**'];

// Real processes on a busy machine: CI looks twice before it says no. At a desk a test fails the first time.
const retry = process.env['CI'] === undefined ? 0 : 1;

/**
 * The tiers of tests, told apart by suffix. Vitest no longer reads a file of this name by itself, so every
 * script names it with --config.
 */
export default defineConfig({
  test: {
    // The tests with real parts wait more than they compute: four side by side even on two cores.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'unit',
          // Nothing in these outlives a test, so they may share what they import.
          isolate: false,
          // Milliseconds, but for a property on a busy machine.
          testTimeout: 20_000,
          include: ['**/*.test.ts'],
          exclude: [...exclude, '**/*.int.test.ts', '**/*.e2e.test.ts'],
          environment: 'node',
        },
      },
      {
        test: {
          name: 'int',
          // Each closes what it starts, so they may share what they import: a quarter of the time of all.
          isolate: false,
          retry,
          include: ['**/*.int.test.ts'],
          exclude: [...exclude, commands],
          environment: 'node',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'commands',
          retry,
          include: [commands],
          exclude,
          environment: 'node',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          retry,
          include: ['infra/e2e/**/*.e2e.test.ts'],
          exclude: [...exclude, ...withoutBrowser],
          environment: 'node',
          testTimeout: 180_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
