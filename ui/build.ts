/**
 * Builds the dashboard into `ui/dist`: `node ui/build.ts`. Beside each asset that is worth it stand its brotli and gzip forms, so that
 * the server compresses nothing while it answers.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';

const folder = import.meta.dirname;
const compressed = new Set(['.js', '.css', '.html', '.svg', '.json']);
/** Below this the headers of another encoding cost more than it saves. */
const smallestBytes = 600;

/** Builds and compresses. Gives the folder. Throws with the bundler's words when a source does not compile. */
export async function buildDashboard(): Promise<string> {
  await build({ configFile: join(folder, 'vite.config.ts'), logLevel: 'warn' });
  const dist = join(folder, 'dist');
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !compressed.has(extname(path))) continue;
    const bytes = readFileSync(path);
    if (bytes.length < smallestBytes) continue;
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(
      `${path}.br`,
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    );
  }
  return dist;
}

if (import.meta.main) await buildDashboard();
