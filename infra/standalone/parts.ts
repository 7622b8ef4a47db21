/**
 * What can run in a process of the embedded default, loaded only in the process that runs it. Every part has the same shape:
 * environment and log in, something that can be stopped out.
 */
import type { Environment } from '@clustral/kernel/config.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';

export type StartPart = (environment: Environment, log: Log) => Promise<Running>;

/** The parts by name. */
export const partLoaders = {
  'event-store': async () => (await import('./embedded-parts.ts')).startEventStorePart,
  'identity-provider': async () => (await import('./embedded-parts.ts')).startIdentityProviderPart,
  'demo-cluster': async () => (await import('./embedded-parts.ts')).startDemoClusterPart,
  'control-plane': async () => (await import('@clustral/control-plane/main.ts')).start,
  projections: async () => (await import('@clustral/projections/main.ts')).start,
  audit: async () => (await import('@clustral/audit-service/main.ts')).start,
  web: async () => (await import('@clustral/web/main.ts')).start,
  gateway: async () => (await import('@clustral/gateway/main.ts')).start,
  agent: async () => (await import('./agent-part.ts')).startAgentPart,
  // Not waited for: nothing here depends on a cluster of somebody else's.
  'local-agent': async () => (await import('@clustral/agent/main.ts')).start,
} as const satisfies Record<string, () => Promise<StartPart>>;

export type PartName = keyof typeof partLoaders;
