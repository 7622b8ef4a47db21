/** The `exec` stanza of a kubeconfig user: how kubectl calls this tool for a credential, and what is wrong with one that it cannot call. */
import { accessSync, constants, existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { compileCacheOf } from './compile-cache.ts';
import type { CliContext } from './context.ts';
import type { OurContext, Plugin } from './kubeconfig-document.ts';
import type { Value } from './kubeconfig-nodes.ts';
import { minorOf, oldestWithV1, type KubectlVersion } from './kubectl.ts';

const v1 = 'client.authentication.k8s.io/v1';
const v1beta1 = 'client.authentication.k8s.io/v1beta1';

/** The stanza that runs `kube credential` with these flags, for the kubectl on the PATH. */
export function execPlugin(
  flags: readonly string[],
  context: Pick<CliContext, 'env' | 'home'>,
  kubectl: KubectlVersion | undefined,
): Record<string, Value> {
  const { apiVersion, command, script } = pluginOfThisTool(kubectl);
  return {
    apiVersion,
    command,
    args: [script, 'kube', 'credential', ...flags],
    env: environment(context),
    interactiveMode: 'IfAvailable',
    provideClusterInfo: false,
    installHint: "This context needs the 'clustral' command. 'clustral kube repair' mends its path.",
  };
}

/** How this tool is called now: absolute, and as it was started, because programs opened from a desktop have another PATH and a link survives an upgrade. */
export function pluginOfThisTool(kubectl: KubectlVersion | undefined): Plugin & { apiVersion: string; script: string } {
  return { apiVersion: apiVersionFor(kubectl), command: process.execPath, script: process.argv[1] ?? '' };
}

/** Why kubectl cannot call the plugin of a context, in words that follow the context's name; undefined when it can. */
export function faultOf({ plugin }: OurContext, kubectl: KubectlVersion | undefined): string | undefined {
  if (plugin === undefined) return undefined;
  const { apiVersion, command, script } = plugin;
  if (!isAbsolute(command))
    return `calls '${command}' without a path, which programs opened from a desktop do not find`;
  if (!isExecutable(command)) return `calls ${command}, which is not there or cannot be run`;
  if (script !== undefined && !existsSync(script)) return `runs ${script}, which is not there`;
  if (apiVersion !== v1 && apiVersion !== v1beta1) return `wants a version that nobody speaks (${apiVersion})`;
  if (apiVersion === v1 && apiVersionFor(kubectl) === v1beta1)
    return `speaks ${v1}, which kubectl ${kubectl} does not understand`;
  return undefined;
}

/** Node finds the compiled code without loading its compiler first: that halves what the plugin adds to every kubectl. */
function environment({ env, home }: Pick<CliContext, 'env' | 'home'>): readonly Value[] {
  return [
    { name: 'NODE_COMPILE_CACHE', value: compileCacheOf(resolve(home)) },
    ...(env['CLUSTRAL_HOME'] ? [{ name: 'CLUSTRAL_HOME', value: resolve(home) }] : []),
  ];
}

/** kubectl before 1.22 does not know `v1`; the plugin answers in whichever version it is asked. Without a kubectl, what is used later is likely newer. */
const apiVersionFor = (kubectl: KubectlVersion | undefined): string =>
  kubectl !== undefined && minorOf(kubectl) < oldestWithV1 ? v1beta1 : v1;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
