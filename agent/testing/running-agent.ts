/** A real agent in this process, for tests: its environment, its log as text, and how it is started. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@clustral/kernel/config.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { start, type RunningAgent } from '../main.ts';
import type { Patience } from '../agent.ts';
import type { ApiServer } from './api-server.ts';

export type AgentPlan = {
  readonly controlPlane: URL;
  readonly clusterId: string;
  readonly api: ApiServer;
  readonly token?: string;
  /** Where the identity lies; a folder of its own by default, removed at the end. */
  readonly folder?: string;
  readonly environment?: Environment;
  readonly patience?: Partial<Patience>;
};

export type TestAgent = RunningAgent & { readonly folder: string; readonly said: readonly string[] };

/** Starts an agent. `said` grows with what it logs from `warn` on. */
export async function startAgent(plan: AgentPlan): Promise<TestAgent> {
  const folder = plan.folder ?? mkdtempSync(join(tmpdir(), 'agent-'));
  const said: string[] = [];
  const agent = await start(environmentOf(plan, folder), logInto(said), plan.patience);
  agent.running.catch(() => undefined);
  return {
    ...agent,
    folder,
    said,
    stop: async () => {
      await agent.stop();
      if (plan.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function environmentOf(
  { controlPlane, clusterId, api, token, environment }: AgentPlan,
  folder: string,
): Environment {
  return {
    CLUSTRAL_ENV: 'embedded',
    AGENT_CLUSTER_ID: clusterId,
    AGENT_CONTROL_PLANE_URL: controlPlane.origin,
    AGENT_BOOTSTRAP_TOKEN: token,
    AGENT_CREDENTIAL_PATH: folder,
    AGENT_KUBERNETES_API_URL: api.url,
    AGENT_KUBERNETES_CA_PATH: api.caPath,
    AGENT_KUBERNETES_TOKEN_PATH: api.tokenPath,
    ...environment,
  };
}

function logInto(said: string[]): Log {
  const log = createLog('agent', 'silent');
  const keep = (...parts: unknown[]): void => {
    said.push(String(parts.find((part) => typeof part === 'string')));
  };
  return Object.assign(log, { warn: keep, error: keep, fatal: keep });
}
