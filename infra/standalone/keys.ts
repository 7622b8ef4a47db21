/**
 * `npm run keys`: shows and replaces the keys that sign tokens, for the installation of this clone or for the one whose key files the
 * environment names. Services that run read them anew by themselves. It refuses what would end tokens in use, unless it is told to.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Environment } from '@clustral/kernel/config.ts';
import { paths } from './environment.ts';
import { generations, retire, rotate, RotationRefused, type RotatedKeys } from './key-rotation.ts';

const usage = `Usage: npm run keys                          what signs and what is verified
       npm run keys -- rotate NAME [--settle SECONDS] [--force]
       npm run keys -- retire NAME [--force]     takes the previous key away
NAME is internal, kubeconfig or agent.`;

/** All who verify look at the file every 2 s. */
const defaultSettleSeconds = 5;
const longestSettleSeconds = 3_600;
const day = 86_400;

class UsageError extends Error {}

export type KeysCommandOptions = {
  readonly print: (line: string) => void;
  readonly now: () => Date;
};

/** Runs the command; gives the exit code. */
export async function keysCommand(
  args: readonly string[],
  environment: Environment,
  options: KeysCommandOptions,
): Promise<number> {
  try {
    await run(args, keysOf(environment), options);
    return 0;
  } catch (cause) {
    if (cause instanceof UsageError || cause instanceof RotationRefused || isFileError(cause)) {
      options.print(cause.message);
      return cause instanceof UsageError ? 2 : 1;
    }
    throw cause;
  }
}

async function run(
  args: readonly string[],
  all: Readonly<Record<string, RotatedKeys>>,
  { print, now }: KeysCommandOptions,
): Promise<void> {
  const { action, name, settleMs, force } = wordsOf(args);
  if (action === 'list') return list(all, print);
  const keys = all[name];
  if (keys === undefined) throw new UsageError(usage);
  if (action === 'rotate') {
    print(`Publishing a new ${name} key; it signs after ${settleMs / 1000} s …`);
    print(`${await rotate(keys, { settleMs, force, now })} signs. The key before it is verified until the next time.`);
  } else {
    print(`${await retire(keys, { force, now })} is gone: tokens that it signed are refused within a few seconds.`);
  }
}

async function list(all: Readonly<Record<string, RotatedKeys>>, print: (line: string) => void): Promise<void> {
  for (const [name, keys] of Object.entries(all)) {
    for (const { keyId, use } of await generations(keys)) print(`${name.padEnd(11)} ${use.padEnd(9)} ${keyId}`);
  }
}

type Words = {
  readonly action: 'list' | 'rotate' | 'retire';
  readonly name: string;
  readonly settleMs: number;
  readonly force: boolean;
};

function wordsOf(args: readonly string[]): Words {
  const { positionals, values } = parsed(args);
  const [action = 'list', name = '', ...rest] = positionals;
  const seconds = Number(values.settle ?? defaultSettleSeconds);
  const known = action === 'list' || action === 'rotate' || action === 'retire';
  if (!known || rest.length > 0 || !(seconds >= 0 && seconds <= longestSettleSeconds)) throw new UsageError(usage);
  return { action, name, settleMs: seconds * 1000, force: values.force ?? false };
}

const flags = { settle: { type: 'string' }, force: { type: 'boolean' } } as const;

function parsed(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof flags; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true });
  } catch {
    throw new UsageError(usage);
  }
}

/** The kinds of token with the files of their keys: by the variables of the services, else those of `npm start`. */
function keysOf(environment: Environment): Readonly<Record<string, RotatedKeys>> {
  const at = paths(resolve(environment['CLUSTRAL_DATA'] ?? join(import.meta.dirname, '..', '..', '.data')));
  return {
    internal: {
      privateKeyPath: environment['INTERNAL_JWT_PRIVATE_KEY_PATH'] ?? at.internalPrivate,
      publicKeysPath: environment['INTERNAL_JWT_PUBLIC_KEY_PATH'] ?? at.internalPublic,
      algorithm: 'ES256',
      // 30 s, and the clocks that differ by as much (F-25).
      tokenLifeSeconds: 60,
    },
    kubeconfig: {
      privateKeyPath: environment['KUBECONFIG_JWT_PRIVATE_KEY_PATH'] ?? at.kubeconfigPrivate,
      publicKeysPath: environment['KUBECONFIG_JWT_PUBLIC_KEY_PATH'] ?? at.kubeconfigPublic,
      algorithm: 'ES256',
      // The longest that CREDENTIAL_MAX_TTL may be.
      tokenLifeSeconds: day,
    },
    agent: {
      privateKeyPath: environment['AGENT_JWT_PRIVATE_KEY_PATH'] ?? at.agentPrivate,
      publicKeysPath: environment['AGENT_JWT_PUBLIC_KEY_PATH'] ?? at.agentPublic,
      algorithm: 'RS256',
      tokenLifeSeconds: 30 * day,
    },
  };
}

const isFileError = (cause: unknown): cause is NodeJS.ErrnoException =>
  cause instanceof Error && typeof (cause as NodeJS.ErrnoException).code === 'string' && 'syscall' in cause;

if (import.meta.main) {
  process.exitCode = await keysCommand(process.argv.slice(2), process.env, {
    print: (line) => console.log(line),
    now: () => new Date(),
  });
}
