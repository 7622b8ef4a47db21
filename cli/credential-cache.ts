/**
 * The exec plugin's fast path: answers kubectl from the cached credential and reads nothing else. Kept free of every package, because kubectl waits for
 * it at every start. A hit is a credential with more than 60 s and more than a tenth of its life left.
 */
import { constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeOf } from './home.ts';

/** A cached kubeconfig credential, as `kube login` and the plugin write it. */
export type CachedCredential = {
  readonly clusterId: string;
  readonly credentialId: string;
  readonly token: string;
  /** ISO 8601, by this machine's clock. */
  readonly issuedAt: string;
  readonly expiresAt: string;
};

export type PluginCall = {
  /** What follows `kube credential`. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** Paths of the account that a call is for and of its cached credential. */
export type Place = { readonly cluster: string; readonly account: string; readonly credential: string };

/** The end is reported 60 s early, so that kubectl asks again before the server says 401 (D21). */
const reportedEarlyMs = 60_000;
const forms: ReadonlyMap<string, RegExp> = new Map([
  ['--cluster', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ['--account', /^[0-9a-f]{64}$/],
  ['--profile', /^[a-z0-9][a-z0-9._-]{0,62}$/],
  ['--ttl', /^\w+$/],
]);

/** The ExecCredential to print, or undefined when the cache cannot answer and the whole tool must. */
export function answerFromCache(call: PluginCall): string | undefined {
  const place = placeOf(call);
  const cached = place && readCached(place.credential);
  if (cached?.clusterId !== place?.cluster || cached === undefined || !isFresh(cached, call.now)) return undefined;
  return execCredential(cached, call.environment['KUBERNETES_EXEC_INFO']);
}

/** The files that a call is about, or undefined for a line that `kube login` does not write. */
export function placeOf({ args, environment }: Pick<PluginCall, 'args' | 'environment'>): Place | undefined {
  const flags = flagsOf(args);
  if (flags === undefined) return undefined;
  const { cluster, account, profile } = flags;
  const folder = join(homeOf(environment), 'profiles', profile);
  return {
    cluster,
    account: join(folder, 'accounts', `${account}.json`),
    credential: join(folder, 'cache', account, `${cluster}.json`),
  };
}

/** True when the credential may still be handed out. `now` in milliseconds since the epoch. */
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

/** The cached credential in a file; undefined when there is none or it is damaged, which makes it as good as missing. */
export function readCached(path: string): CachedCredential | undefined {
  try {
    const flag = constants.O_RDONLY | constants.O_NOFOLLOW;
    const json: unknown = JSON.parse(String(readFileSync(path, { flag: flag as unknown as string })));
    return isCached(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function isCached(json: unknown): json is CachedCredential {
  return (
    typeof json === 'object' &&
    json !== null &&
    ['clusterId', 'credentialId', 'token', 'issuedAt', 'expiresAt'].every(
      (name) => typeof Reflect.get(json, name) === 'string',
    )
  );
}

function askedVersion(execInfo: string | undefined): string {
  const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
  let asked: unknown;
  try {
    asked = (JSON.parse(execInfo ?? '{}') as { apiVersion?: unknown } | null)?.apiVersion;
  } catch {
    // Run by hand with something else in that variable.
  }
  return versions.find((version) => version === asked) ?? 'client.authentication.k8s.io/v1';
}

/** The flags of a line as `kube login` writes it, or undefined for any other. */
function flagsOf(args: readonly string[]): { cluster: string; account: string; profile: string } | undefined {
  const values = new Map<string, string>();
  for (let index = 0; index < args.length; index += 2) {
    const [name = '', value = ''] = args.slice(index, index + 2);
    if (values.has(name) || !forms.get(name)?.test(value)) return undefined;
    values.set(name, value);
  }
  const [cluster, account, profile] = ['--cluster', '--account', '--profile'].map((name) => values.get(name));
  return cluster === undefined || account === undefined || profile === undefined
    ? undefined
    : { cluster, account, profile };
}
