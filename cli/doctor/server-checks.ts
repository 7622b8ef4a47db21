/** The installation behind the connection: its discovery document, whether it is ready, its version, its clock, its identity provider. */
import { discover, fetchWith } from '../http.ts';
import { discoverProvider } from '../identity-provider.ts';
import { requireVersion, version } from '../version.ts';
import { fail, ok, once, warn, type Check, type Finding } from './check.ts';
import { serverOf, type Patient } from './patient.ts';

type Ready = { readonly status: number; readonly text: string; readonly skewMs: number | undefined };

const largestSkewMs = 60_000;

/** The checks of the installation. `limitMs` is how long one call may take. */
export function serverChecks(patient: Patient, limitMs: number): readonly Check[] {
  const ready = once(() => askReady(patient, limitMs));
  return [
    { name: 'discovery', needs: ['tls'], run: () => discovered(patient) },
    { name: 'control plane', needs: ['tls'], run: async (signal) => served(patient, await ready(), signal) },
    { name: 'clock', needs: ['tls'], run: async () => clockFinding((await ready()).skewMs) },
    { name: 'identity provider', needs: [providerNeeds(patient)], run: () => provided(patient, limitMs) },
  ];
}

/** A provider behind the same address cannot be reached when that cannot. */
function providerNeeds({ profile: { config } }: Patient): string {
  if (config === undefined) return 'server';
  return new URL(config.discovery.oidcAuthority).origin === config.server ? 'tls' : 'server';
}

async function askReady(patient: Patient, limitMs: number): Promise<Ready> {
  const { url, cas } = serverOf(patient);
  const asked = Date.now();
  const response = await fetchWith(cas)(new URL('/healthz/ready', url).href, { signal: AbortSignal.timeout(limitMs) });
  const middle = (asked + Date.now()) / 2;
  const date = Date.parse(response.headers.get('date') ?? '');
  const text = (await response.text()).trim().slice(0, 200);
  // The header names whole seconds, cut off: on average half of one is lost.
  return { status: response.status, text, skewMs: Number.isNaN(date) ? undefined : middle - (date + 500) };
}

async function discovered(patient: Patient): Promise<Finding> {
  const { url, config, cas } = serverOf(patient);
  const document = await discover(url, cas);
  const changed = (['oidcAuthority', 'oidcClientId'] as const).filter(
    (name) => document[name] !== config.discovery[name],
  );
  if (changed.length === 0) return ok(`read, of version ${document.version}`);
  return warn(
    `the server names another identity provider than at the sign-in (${changed.join(', ')})`,
    `clustral login ${config.server} --force`,
  );
}

async function served(patient: Patient, ready: Ready, signal: AbortSignal): Promise<Finding> {
  const { config, cas } = serverOf(patient);
  if (ready.status !== 200)
    return fail(
      `not ready (${ready.status}): ${ready.text || 'no reason given'}`,
      'try again in a minute, then tell the operator',
    );
  const address = new URL('/clustral.v1.SystemService/GetVersion', config.discovery.controlPlaneUrl);
  const response = await fetchWith(cas)(address.href, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
    body: '{}',
    signal,
  });
  if (response.status !== 200)
    return fail(`the API answers ${response.status} when asked for its version`, 'tell the operator');
  const said = (await response.json()) as { version?: unknown; minimumCliVersion?: unknown };
  requireVersion(version, textOf(said.minimumCliVersion), config.server);
  return versionFinding(textOf(said.version));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** How far the server's version is from this tool's: one minor version either way is promised to work. */
export function versionFinding(server: string): Finding {
  const [mine, theirs] = [version, server].map((text) => text.split('.').map(Number));
  const isFar = mine?.[0] !== theirs?.[0] || Math.abs((mine?.[1] ?? 0) - (theirs?.[1] ?? 0)) > 1;
  if (!isFar) return ok(`ready, version ${server}`);
  return warn(`version ${server}, and this tool is ${version}`, 'use versions at most one minor apart');
}

/** How far this machine's clock is from the server's: ahead when positive. */
export function clockFinding(skewMs: number | undefined): Finding {
  if (skewMs === undefined) return ok('the server does not say what time it is');
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= largestSkewMs) return ok(`within ${Math.max(seconds, 1)} s of the server's`);
  return warn(
    `this machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the server`,
    'set the clock: tokens and certificates are judged by it',
  );
}

async function provided(patient: Patient, timeoutMs: number): Promise<Finding> {
  const { config } = serverOf(patient);
  // It is refused when it names another issuer than the one that the server trusts.
  const provider = await discoverProvider({ ...config, timeoutMs });
  return ok(`${provider.serverMetadata().issuer} answers as that issuer`);
}
