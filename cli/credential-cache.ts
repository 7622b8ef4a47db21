/**
 * The exec plugin's fast path: answers kubectl from the cached credential and reads nothing else. Kept free of every package, because kubectl waits for
 * it at every start. A hit is a credential with more than 60 s and more than a tenth of its life left.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A cached kubeconfig credential, as `kube login` and the plugin write it. */
export type CachedCredential = {
  readonly clusterId: string;
  readonly credentialId: string;
  readonly token: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
};

export type PluginCall = {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: number;
};

/** The end is reported 60 s early, so that kubectl asks again before the server says 401 (D21). */
const reportedEarlyMs = 60_000;

/** The ExecCredential to print, or undefined when the cache cannot answer and the whole tool must. */
export function answerFromCache({ args, environment, now }: PluginCall): string | undefined {
  const { cluster, account, profile, complete } = flagsOf(args);
  if (
    !complete ||
    !/^[0-9a-f-]{36}$/.test(cluster) ||
    !/^[0-9a-f]{64}$/.test(account) ||
    !/^[a-z0-9][a-z0-9._-]{0,62}$/.test(profile)
  )
    return undefined;
  const home = environment['CLUSTRAL_HOME'] || join(environment['HOME'] || homedir(), '.clustral');
  const cached = read(join(home, 'profiles', profile, 'cache', account, `${cluster}.json`));
  if (cached === undefined || cached.clusterId !== cluster || !isFresh(cached, now)) return undefined;
  return execCredential(cached, environment['KUBERNETES_EXEC_INFO']);
}

/** True when the credential may still be handed out. */
export function isFresh(cached: CachedCredential, now: number): boolean {
  const left = Date.parse(cached.expiresAt) - now;
  const life = Date.parse(cached.expiresAt) - Date.parse(cached.issuedAt);
  return left > reportedEarlyMs && left > life / 10;
}

/** The plugin's answer in the version that kubectl asked for (client.authentication.k8s.io). */
export function execCredential(
  credential: Pick<CachedCredential, 'token' | 'expiresAt'>,
  execInfo: string | undefined,
): string {
  const expirationTimestamp = new Date(Date.parse(credential.expiresAt) - reportedEarlyMs)
    .toISOString()
    .replace(/\.\d{3}Z$/, 'Z');
  return `${JSON.stringify({ apiVersion: askedVersion(execInfo), kind: 'ExecCredential', status: { token: credential.token, expirationTimestamp } })}\n`;
}

function askedVersion(execInfo: string | undefined): string {
  const known = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
  const asked = /"apiVersion"\s*:\s*"([^"]+)"/.exec(execInfo ?? '')?.[1];
  return known.find((version) => version === asked) ?? 'client.authentication.k8s.io/v1';
}

function flagsOf(args: readonly string[]): { cluster: string; account: string; profile: string; complete: boolean } {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < args.length; index += 2) values.set(args[index] ?? '', args[index + 1] ?? '');
  const get = (flag: string): string => values.get(flag) ?? '';
  return {
    cluster: get('--cluster'),
    account: get('--account'),
    profile: get('--profile'),
    complete: args.length === 6 && values.size === 3,
  };
}

function read(path: string): CachedCredential | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as CachedCredential;
  } catch {
    // Missing or damaged: the whole tool looks again and says what is wrong.
    return undefined;
  }
}
