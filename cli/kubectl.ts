/** The kubectl on the PATH: whether there is one, and its version. Asked once, with a deadline; its configuration is not touched. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CliContext } from './context.ts';

/** `1.33`. */
export type KubectlVersion = string & { readonly __brand: 'KubectlVersion' };

/** Minor version that first knows `client.authentication.k8s.io/v1`. */
export const oldestWithV1 = 22;

const limitMs = 3_000;

/** The version of kubectl, or undefined when none answers. */
export async function kubectlVersion(env: CliContext['env']): Promise<KubectlVersion | undefined> {
  try {
    const { stdout } = await promisify(execFile)('kubectl', ['version', '--client', '-o', 'json'], {
      timeout: limitMs,
      env: env as NodeJS.ProcessEnv,
    });
    return versionIn((JSON.parse(stdout) as { clientVersion?: unknown } | null)?.clientVersion);
  } catch {
    // None on the PATH, or none that works.
    return undefined;
  }
}

/** `v1.33.1` or kubectl's own JSON as `1.33`; undefined for anything else. */
export function versionIn(said: unknown): KubectlVersion | undefined {
  if (typeof said === 'object' && said !== null) {
    const { major, minor } = said as { major?: unknown; minor?: unknown };
    return versionIn(`v${String(major)}.${String(minor)}`);
  }
  // Vendors write `20+`.
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})(?=\D|$)/.exec(String(said)) ?? [];
  return major === undefined ? undefined : (`${major}.${minor}` as KubectlVersion);
}

/** The 33 of 1.33. */
export const minorOf = (version: KubectlVersion): number => Number(version.split('.')[1]);
