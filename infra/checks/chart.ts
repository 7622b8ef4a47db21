/**
 * The agent's chart, checked without a cluster: Helm's own lint, values that must be taken, values that must be refused (SC-05), and
 * whether the plain manifests are what the chart renders.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { helm } from '../e2e/parts/kubectl.ts';
import { agentChart, manifestFolder, plainManifests, rendered } from '../k8s/generate.ts';

const taken: readonly (readonly string[])[] = [
  ['--set', 'replicas=2'],
  ['--set', 'networkPolicy.enabled=false,existingSecret=mine,logLevel=debug'],
  ['--set', 'impersonation.groups={clustral:viewers,system:masters}'],
];

const refused: readonly (readonly string[])[] = [
  ['--set', 'impersonation.groups={*}'],
  ['--set', 'impersonation.groups=null'],
  ['--set', 'replicas=5'],
  ['--set', 'bootstrapToken=secret'],
  ['--set', 'controlPlaneUrl=http://unsafe:5443'],
];

/** Everything wrong with it, a line each. Throws with the package's name when there is no Helm. */
export function chartProblems(): readonly string[] {
  const binary = helm('1.35');
  const lint = problemOf('lint', () => {
    execFileSync(binary, ['lint', '--strict', '--quiet', agentChart], { stdio: ['ignore', 'pipe', 'pipe'] });
  });
  const accepted = taken.flatMap((values) => problemOf(values.join(' '), () => rendered(...values)));
  const wronglyTaken = refused
    .filter((values) => problemOf('', () => rendered(...values)).length === 0)
    .map((values) => `${values.join(' ')}: the chart takes it`);
  return [...lint, ...accepted, ...wronglyTaken, ...staleManifests()];
}

function problemOf(what: string, work: () => void): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    return [`${what}: ${String((error as { stderr?: Buffer }).stderr ?? error)}`];
  }
}

function staleManifests(): readonly string[] {
  const fresh = plainManifests();
  const committed = existsSync(manifestFolder) ? readdirSync(manifestFolder) : [];
  return [...new Set([...fresh.keys(), ...committed])]
    .filter((name) => !committed.includes(name) || fresh.get(name) !== readFileSync(join(manifestFolder, name), 'utf8'))
    .map((name) => `infra/k8s/agent/${name} differs from the chart: run 'npm run fix'`);
}
