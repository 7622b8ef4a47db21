/**
 * Components in a real browser: every page in every state, with axe, in both themes, at three widths. It needs Chromium; `CHROMIUM`
 * names one that is elsewhere. Pure logic beside it is in `*.test.ts` and runs with everything else.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import { playwright } from '@vitest/browser-playwright';
import solid from 'vite-plugin-solid';
import { defineConfig } from 'vitest/config';

const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
if (!existsSync(chromium))
  throw new Error(`missing: Chromium at ${chromium}. Install it, or name another with CHROMIUM.`);

export default defineConfig({
  root: import.meta.dirname,
  plugins: [solid(), tailwindcss()],
  // Found while the tests run, each would make the browser load the page anew.
  optimizeDeps: { include: ['axe-core'] },
  test: {
    name: 'browser',
    include: ['**/*.browser.test.tsx'],
    // The plugin for Solid would ask for jsdom.
    environment: 'node',
    testTimeout: 30_000,
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: chromium,
          args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
        },
        contextOptions: { reducedMotion: 'reduce' },
      }),
      instances: [{ browser: 'chromium' }],
    },
    env: { SCREENSHOTS: join(import.meta.dirname, '..', '.e2e', 'ui') },
  },
});
