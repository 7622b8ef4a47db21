/** The demo cluster's agent as a part. Here, unlike elsewhere, started means connected: `npm start` says ready only when kubectl works. */
import { setTimeout as delay } from 'node:timers/promises';
import { start } from '@clustral/agent/main.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';

const connectedEveryMs = 50;

/** Starts it and waits until it is connected, however long that takes. */
export async function startAgentPart(environment: Environment, log: Log): Promise<Running> {
  const agent = await start(environment, log);
  while (!agent.connected()) await delay(connectedEveryMs);
  return agent;
}
