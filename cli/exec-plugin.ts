/** The `exec` stanza of a kubeconfig user: how kubectl calls this tool for a credential. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { compileCacheOf } from './compile-cache.ts';
import type { CliContext } from './context.ts';
import type { Value } from './kubeconfig-nodes.ts';

const v1 = 'client.authentication.k8s.io/v1';
const v1beta1 = 'client.authentication.k8s.io/v1beta1';
const oldestWithV1 = 22;

/** The stanza that runs `kube credential` with these flags. */
export function execPlugin(flags: readonly string[], context: Pick<CliContext, 'env' | 'home'>): Record<string, Value> {
  // Absolute and as it was started: programs opened from a desktop have another PATH, and a link survives an upgrade.
  const script = process.argv[1] ?? '';
  return {
    apiVersion: apiVersion(context.env),
    command: process.execPath,
    args: [script, 'kube', 'credential', ...flags],
    env: environment(context),
    interactiveMode: 'IfAvailable',
    provideClusterInfo: false,
    installHint: "This context needs the 'clustral' command. Run 'clustral kube login' again to mend its path.",
  };
}

/** Node finds the compiled code without loading its compiler first: that halves what the plugin adds to every kubectl. */
function environment({ env, home }: Pick<CliContext, 'env' | 'home'>): readonly Value[] {
  return [
    { name: 'NODE_COMPILE_CACHE', value: compileCacheOf(resolve(home)) },
    ...(env['CLUSTRAL_HOME'] ? [{ name: 'CLUSTRAL_HOME', value: resolve(home) }] : []),
  ];
}

/** kubectl before 1.22 does not know `v1`; the plugin answers in whichever version it is asked. */
function apiVersion(env: CliContext['env']): string {
  try {
    const answer = execFileSync('kubectl', ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      timeout: 3_000,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: env as NodeJS.ProcessEnv,
    });
    const minor = Number(/"minor":\s*"(\d+)/.exec(answer)?.[1] ?? oldestWithV1);
    return minor < oldestWithV1 ? v1beta1 : v1;
  } catch {
    // No kubectl on the PATH: whatever is used later is likely newer than 1.22.
    return v1;
  }
}
