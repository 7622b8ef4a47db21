/**
 * Walks an API by its OpenAPI description, and checks the description itself: two Python programs in a virtual environment of their own,
 * made once into the cache of real parts. `requirements.txt` names their versions.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const source = import.meta.dirname;
const requirements = join(source, 'requirements.txt');
const cache = process.env['REALPARTS_CACHE'] ?? join(homedir(), '.cache', 'clustral-realparts');
const installMs = 300_000;

export type Finished = { readonly code: number | null; readonly output: string };

export type Walk = {
  readonly url: string;
  /** Tokens of people with the same rights. */
  readonly tokens: readonly string[];
  readonly seconds: number;
};

/** Makes it ready, which takes a minute the first time. Gives what is missing on this machine, or undefined when nothing is. */
export function missingForSchemathesis(): string | undefined {
  if (existsSync(marker())) return undefined;
  if (spawnSync('python3', ['-c', 'import ensurepip, venv']).status !== 0) return 'Python 3 with venv';
  rmSync(environment(), { recursive: true, force: true });
  try {
    run('python3', '-m', 'venv', environment());
    run(program('pip'), 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements);
  } catch (cause) {
    return `the Python packages of requirements.txt (${(cause as Error).message.split('\n').at(-1)})`;
  }
  // Written last: an installation that was cut short is made anew.
  writeFileSync(marker(), '');
  return undefined;
}

/** What is wrong with the description as OpenAPI, in words; empty when nothing is. */
export function problemsOf(document: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
  try {
    writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
    const { status, stdout, stderr } = spawnSync(program('openapi-spec-validator'), [join(folder, 'openapi.json')]);
    return status === 0 ? '' : `${String(stdout)}${String(stderr)}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Sends requests, right and wrong ones, until the time is over, and holds the answers against the description. */
export async function walkApi({ url, tokens, seconds }: Walk): Promise<Finished> {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens), { mode: 0o600 });
  const child = spawn(
    program('schemathesis'),
    [
      'run',
      url,
      `--max-time=${seconds}`,
      '--request-timeout=10',
      '--seed=1',
      '--no-shrink',
      // What a page token or a ticket's form means is not in any schema.
      // An empty parameter of a query stands for none (protobuf), and who asks too much without a token is told that before anything else.
      '--exclude-checks=positive_data_acceptance,negative_data_rejection,ignored_auth',
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        CLUSTRAL_TOKENS: join(folder, 'tokens.json'),
        SCHEMATHESIS_HOOKS: 'people',
        PYTHONPATH: source,
        PYTHONDONTWRITEBYTECODE: '1',
        NO_COLOR: '1',
      },
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const code = await promise;
  rmSync(folder, { recursive: true });
  return { code, output: Buffer.concat(chunks).toString() };
}

const environment = (): string => {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  return join(cache, `schemathesis-${digest}`);
};
const marker = (): string => join(environment(), 'complete');
const program = (name: string): string => join(environment(), 'bin', name);

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: installMs });
}
