/** The agent: what runs in a cluster that nobody can reach from outside, and dials out to be asked. */
import { createLog, type Log } from '@clustral/kernel/log.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { Agent, type Patience } from './agent.ts';
import { readAgentConfig, type AgentConfig } from './config.ts';
import { realDisk } from './disk.ts';
import { startHealth } from './health.ts';
import { IdentityFolder } from './identity-folder.ts';
import { IdentityKeeper } from './identity-keeper.ts';
import { IdentitySecret } from './identity-secret.ts';
import type { IdentityStore } from './identity-store.ts';
import { Kubernetes } from './kubernetes.ts';
import { SecretClient } from './secret-client.ts';
import manifest from './package.json' with { type: 'json' };

export type RunningAgent = Running & {
  /** True while the control plane can send requests here. */
  connected(): boolean;
  /** Rejects when the agent gave up for a reason that no waiting helps against (TN-08). */
  readonly running: Promise<void>;
  /** Where it says whether it is well; undefined when nowhere. */
  readonly healthPort: number | undefined;
};

const patience: Patience = { lookMs: 10_000, tryAgainMs: 300_000, firstRenewalLookMs: 30_000, changeApartMs: 5_000 };

/** Starts dialling and returns at once; whether it came through is told by `connected`. Throws `ConfigurationError`. */
export async function start(
  environment: Environment,
  log: Log,
  changes: Partial<Patience> = {},
): Promise<RunningAgent> {
  const config = readAgentConfig(environment);
  const now = (): Date => new Date();
  const monotonic = (): number => performance.now();
  const kubernetes = new Kubernetes({ config: config.kubernetes, now, monotonic });
  const keeper = new IdentityKeeper({
    store: identityStore(config, { now, monotonic }),
    url: config.controlPlane,
    clusterId: config.clusterId,
    caFile: config.caFile,
    bootstrapToken: config.bootstrapToken,
  });
  const agent = new Agent({
    config,
    keeper,
    kubernetes,
    version: manifest.version,
    now,
    monotonic,
    random: Math.random,
    patience: { ...patience, ...changes },
    log,
  });
  agent.running.catch((error: unknown) =>
    log.fatal({ err: error }, error instanceof Error ? error.message : undefined),
  );
  const { healthPort } = config;
  const health = healthPort === undefined ? undefined : await startHealth(healthPort, () => agent.isConnected);
  return {
    connected: () => agent.isConnected,
    running: agent.running,
    healthPort: health?.port,
    stop: async () => {
      await agent.stop();
      await health?.stop();
    },
  };
}

type Clocks = { readonly now: () => Date; readonly monotonic: () => number };

function identityStore(
  { credentialSecret: secret, credentialPath, kubernetes }: AgentConfig,
  clocks: Clocks,
): IdentityStore {
  if (!secret) return new IdentityFolder(credentialPath, realDisk);
  const client = new SecretClient({ config: kubernetes, secret, ...clocks });
  return new IdentitySecret({ client, monotonic: clocks.monotonic, random: Math.random });
}

if (import.meta.main) {
  const log = createLog('agent', process.env['LOG_LEVEL'] ?? 'info');
  await runProcess(log, async () => {
    const agent = await start(process.env, log);
    agent.running.catch(() => process.exit(1));
    return agent;
  });
}
