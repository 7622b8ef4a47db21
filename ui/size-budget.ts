/**
 * What the dashboard may weigh, checked against the build: `node ui/size-budget.ts`. Sizes are gzip's, as the server sends them to a
 * browser that knows no brotli. It fails when a budget is passed; budgets are raised by a decision, not by a build.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

type Chunk = {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly isDynamicEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
  readonly src?: string;
};
type Manifest = Readonly<Record<string, Chunk>>;

const kb = 1_000;
export const budgets = { initialJs: 140 * kb, initialCss: 15 * kb, route: 50 * kb } as const;

export type Size = { readonly name: string; readonly bytes: number; readonly budget: number };

/** The sizes that have a budget, of the build in the folder. Throws when there is no build. */
export function sizesOf(dist: string): readonly Size[] {
  const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8')) as Manifest;
  const weigh = (files: Iterable<string>): number =>
    [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
  const entry = Object.entries(manifest).find(([, chunk]) => chunk.isEntry);
  if (!entry) throw new Error(`the build in ${dist} has no entry`);
  const first = reach(manifest, [entry[0]]);
  const css = new Set([...first].flatMap((key) => manifest[key]?.css ?? []));
  const routes = Object.entries(manifest)
    .filter(([, chunk]) => chunk.isDynamicEntry)
    .map(([key, chunk]) => {
      const own = [...reach(manifest, [key])].filter((one) => !first.has(one));
      return { name: chunk.src ?? key, bytes: weigh(filesOf(manifest, own)), budget: budgets.route };
    });
  return [
    { name: 'initial JS', bytes: weigh(filesOf(manifest, first)), budget: budgets.initialJs },
    { name: 'initial CSS', bytes: weigh(css), budget: budgets.initialCss },
    ...routes.toSorted((a, b) => b.bytes - a.bytes),
  ];
}

/** The chunk and everything that it imports before it runs. */
function reach(manifest: Manifest, keys: readonly string[], seen = new Set<string>()): ReadonlySet<string> {
  for (const key of keys) {
    if (seen.has(key)) continue;
    seen.add(key);
    reach(manifest, manifest[key]?.imports ?? [], seen);
  }
  return seen;
}

const filesOf = (manifest: Manifest, keys: Iterable<string>): ReadonlySet<string> =>
  new Set([...keys].flatMap((key) => manifest[key]?.file ?? []));

if (import.meta.main) {
  const dist = join(import.meta.dirname, 'dist');
  if (!statSync(dist, { throwIfNoEntry: false })) throw new Error("there is no build: run 'node ui/build.ts' first");
  const sizes = sizesOf(dist);
  for (const { name, bytes, budget } of sizes) {
    const mark = bytes > budget ? 'PASSED' : 'ok    ';
    process.stdout.write(
      `${mark} ${(bytes / kb).toFixed(1).padStart(6)} of ${String(budget / kb).padStart(3)} KB  ${name}\n`,
    );
  }
  process.exitCode = sizes.some(({ bytes, budget }) => bytes > budget) ? 1 : 0;
}
