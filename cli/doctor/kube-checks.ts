/** kubectl's side: the program, its versions against the clusters', the contexts that lead through Clustral, and kubectl's own rules about plugins. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { faultOf, pluginOfThisTool } from '../exec-plugin.ts';
import { contextsIn, mendPlugins } from '../kubeconfig.ts';
import type { OurContext } from '../kubeconfig-document.ts';
import { kubectlVersion, minorOf, oldestWithV1, versionIn, type KubectlVersion } from '../kubectl.ts';
import { readAccount } from '../profile.ts';
import { fail, ok, once, skipped, warn, type Check, type Finding } from './check.ts';
import { serverOf, type Patient } from './patient.ts';
import type { Reachable } from './session-checks.ts';

/** First minor version of kubectl that reads rules about credential plugins from `kuberc` (KEP-3104). */
const firstWithPolicy = 35;

/** The checks of kubectl and its files. */
export function kubeChecks(patient: Patient, reachable: () => Promise<Reachable | undefined>): readonly Check[] {
  const kubectl = once(() => kubectlVersion(patient.context.env));
  return [
    { name: 'kubectl', needs: [], run: async () => kubectlFinding(await kubectl()) },
    {
      name: 'kubernetes',
      needs: ['kubectl', 'account'],
      run: async () => skewFindings(await kubectl(), await reachable()),
    },
    { name: 'kubeconfig', needs: ['server'], run: async () => contextFindings(patient, await kubectl()) },
    { name: 'kuberc', needs: [], run: async () => policyFinding(kubercOf(patient), await kubectl()) },
  ];
}

function kubectlFinding(version: KubectlVersion | undefined): Finding {
  if (version === undefined)
    return warn('no kubectl on the PATH', 'install kubectl, or use another client with the same kubeconfig');
  if (minorOf(version) >= oldestWithV1) return ok(`version ${version}`);
  return ok(`version ${version}, for which contexts are written in an older form`);
}

/** Clusters whose version kubectl is not made for: one minor version either way is. */
export function skewFindings(
  kubectl: KubectlVersion | undefined,
  reachable: Reachable | undefined,
): Finding | readonly Finding[] {
  if (kubectl === undefined || reachable === undefined) return skipped('because there is nothing to compare');
  const ids = new Set(reachable.access.map(({ clusterId }) => clusterId));
  const far = reachable.clusters.flatMap(({ id, name, kubernetesVersion }) => {
    const version = versionIn(kubernetesVersion);
    if (!ids.has(id) || version === undefined || Math.abs(minorOf(version) - minorOf(kubectl)) <= 1) return [];
    return [
      warn(
        `${name} runs Kubernetes ${version}, and kubectl is ${kubectl}`,
        `use a kubectl of 1.${minorOf(version) - 1} to 1.${minorOf(version) + 1} for it`,
      ),
    ];
  });
  return far.length > 0 ? far : ok('kubectl fits the clusters that you can reach');
}

async function contextFindings(patient: Patient, kubectl: KubectlVersion | undefined): Promise<readonly Finding[]> {
  const { config } = serverOf(patient);
  const mine = contextsIn(patient.files).filter(({ server }) => server === config.server);
  if (mine.length === 0) return [ok('no context leads to this server yet: clustral kube login <cluster>')];
  const broken = mine.filter((context) => faultOf(context, kubectl) !== undefined);
  const mended = new Set(broken.length > 0 && patient.mends ? await mend(patient, kubectl) : []);
  const findings = mine.flatMap((context) =>
    contextFinding(patient, context, mended.has(context.name) ? undefined : faultOf(context, kubectl)),
  );
  const good = mine.length === 1 ? 'one context leads to this server' : `${mine.length} contexts lead to this server`;
  return [
    ...(mended.size > 0 ? [ok(`mended ${[...mended].join(', ')}`)] : []),
    ...(findings.length > 0 ? findings : [ok(`${good}, all well`)]),
  ];
}

function mend(patient: Patient, kubectl: KubectlVersion | undefined): Promise<readonly string[]> {
  const plugin = pluginOfThisTool(kubectl);
  return mendPlugins(patient.files, (context) => (faultOf(context, kubectl) === undefined ? undefined : plugin));
}

function contextFinding(patient: Patient, context: OurContext, fault: string | undefined): readonly Finding[] {
  const { config } = serverOf(patient);
  const { name, account, ca, clusterId, plugin, token } = context;
  const again = `clustral kube login ${clusterId} --context-name ${name}`;
  const wanted = config.caPem === undefined ? undefined : Buffer.from(config.caPem).toString('base64');
  return [
    ...(plugin === undefined && token === undefined ? [fail(`${name} has no credential of Clustral`, again)] : []),
    ...(fault === undefined ? [] : [fail(`${name} ${fault}`, 'clustral kube repair')]),
    ...(wanted === undefined || ca === wanted
      ? []
      : [fail(`${name} ${ca === undefined ? 'names no CA' : 'names another CA'} for this server`, again)]),
    ...(account === undefined || readAccount(patient.profile, account) !== undefined
      ? []
      : [warn(`${name} is for an account that is signed out`, `clustral login ${config.server}`)]),
  ];
}

function kubercOf({ context: { env } }: Patient): string {
  return env['KUBERC'] || join(env['HOME'] || homedir(), '.kube', 'kuberc');
}

/** Whether kubectl may run the plugin by its user's own rules. */
export function policyFinding(path: string, kubectl: KubectlVersion | undefined): Finding {
  if (kubectl === undefined || minorOf(kubectl) < firstWithPolicy)
    return ok(`this kubectl has no rules about plugins (since 1.${firstWithPolicy})`);
  if (!existsSync(path)) return ok('kubectl has no rules about plugins');
  const rules = parse(readFileSync(path, 'utf8')) as Rules | null;
  const policy = rules?.credentialPluginPolicy ?? '';
  if (policy === '' || policy === 'AllowAll') return ok('kubectl may run any plugin');
  const command = pluginOfThisTool(kubectl).command;
  const allowed = (rules?.credentialPluginAllowlist ?? []).map((entry) => entry.name ?? entry.command);
  if (policy === 'Allowlist' && allowed.some((one) => one === command || one === basename(command)))
    return ok(`kubectl may run ${command}`);
  return fail(
    policy === 'Allowlist' ? `kubectl may not run ${command}` : `kubectl may run no plugin (${policy})`,
    `in ${path}: credentialPluginPolicy: Allowlist, and below credentialPluginAllowlist: "- name: ${command}"`,
  );
}

/** What is read of `kuberc`. Since 1.36 an entry says `command`, before that `name`. */
type Rules = {
  readonly credentialPluginPolicy?: string;
  readonly credentialPluginAllowlist?: readonly { readonly name?: string; readonly command?: string }[];
};
