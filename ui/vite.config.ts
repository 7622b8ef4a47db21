/**
 * How the dashboard is built: one page, hashed assets, nothing inline, because the policy of the server that hands it out allows no
 * inline script and no inline style (UI-02). The only script that runs before the page is drawn sets the colour theme.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';
import solid from 'vite-plugin-solid';

const folder = import.meta.dirname;

export default defineConfig({
  root: folder,
  // No folder of files that are copied as they are: every file of the build has a hash in its name, but the page itself.
  publicDir: false,
  plugins: [solid(), tailwindcss(), themeBeforePaint()],
  build: {
    outDir: join(folder, 'dist'),
    emptyOutDir: true,
    target: 'es2024',
    // Browsers that know light-dark(): older ones would get each colour twice.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // A small asset inlined as data: would need its own line in the policy.
    assetsInlineLimit: 0,
    manifest: true,
  },
});

/** Puts `boot/theme.js` into the build under a hashed name and its tag in front of the style sheet. */
function themeBeforePaint(): Plugin {
  const source = readFileSync(join(folder, 'boot', 'theme.js'), 'utf8');
  const fileName = `assets/theme-${createHash('sha256').update(source).digest('base64url').slice(0, 8)}.js`;
  return {
    name: 'theme-before-paint',
    apply: 'build',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName, source });
    },
    transformIndexHtml: () => [{ tag: 'script', attrs: { src: `/${fileName}` }, injectTo: 'head-prepend' }],
  };
}
