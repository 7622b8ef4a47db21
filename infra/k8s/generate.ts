/**
 * The plain manifests of the agent, for clusters without Helm: what the chart renders with its own values, a file for each template. The
 * chart is the only source; `npm run fix` writes them, `npm run check` refuses others.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { helm } from '../e2e/parts/kubectl.ts';

export const agentChart = join(import.meta.dirname, '..', 'helm', 'clustral-agent');
export const manifestFolder = join(import.meta.dirname, 'agent');

const namespace = 'clustral';
const header = '# Made from infra/helm/clustral-agent: change it there and run `npm run fix`.\n';

/** What Helm renders of the chart. Throws with what Helm says, or with the missing package's name. */
export function rendered(...args: readonly string[]): string {
  const command = ['template', 'clustral-agent', agentChart, '--namespace', namespace, ...args];
  return execFileSync(helm('1.35'), command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** File name → text. */
export function plainManifests(): ReadonlyMap<string, string> {
  const documents = rendered()
    .split(/^---\n/m)
    .filter((text) => text.trim() !== '');
  return new Map(
    documents.map((document) => {
      const [, source = ''] = /^# Source: (\S+)\n/.exec(document) ?? [];
      const text = document.slice(document.indexOf('\n') + 1);
      return [basename(source), `${header}${text.trimEnd()}\n`];
    }),
  );
}

export function writeManifests(): void {
  rmSync(manifestFolder, { recursive: true, force: true });
  mkdirSync(manifestFolder, { recursive: true });
  for (const [name, text] of plainManifests()) writeFileSync(join(manifestFolder, name), text);
}
