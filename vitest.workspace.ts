import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '.data/**', '.e2e/**'];

/**
 * The three tiers of tests, told apart by suffix. Vitest no longer reads a file of this name by itself, so every
 * script names it with --config.
 */
export default defineConfig({
  test: {
    // The tests with real parts wait more than they compute: more of them than there are cores run side by side.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...exclude, '**/*.int.test.ts', '**/*.e2e.test.ts'],
          environment: 'node',
        },
      },
      {
        test: {
          name: 'int',
          include: ['**/*.int.test.ts'],
          exclude,
          environment: 'node',
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['infra/e2e/**/*.e2e.test.ts'],
          exclude,
          environment: 'node',
          testTimeout: 180_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
