/** A control plane, an API server and an agent between them, all real, for the tests of what is carried. */
import type { Environment } from '@clustral/kernel/config.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { callOf, carry, Carried } from '@clustral/control-plane/tunnel/testing/carrying.ts';
import { startTunnelWorld, until, type TunnelWorld } from '@clustral/control-plane/tunnel/testing/tunnel-world.ts';
import { startApiServer, type ApiServer, type ApiServerOptions } from './api-server.ts';
import { startAgent, type TestAgent } from './running-agent.ts';

type Said = Partial<ReturnType<typeof callOf>>;

export class Served {
  readonly world: TunnelWorld;
  readonly api: ApiServer;
  readonly agent: TestAgent;
  readonly clusterId: ClusterId;

  constructor(parts: { world: TunnelWorld; api: ApiServer; agent: TestAgent; clusterId: ClusterId }) {
    this.world = parts.world;
    this.api = parts.api;
    this.agent = parts.agent;
    this.clusterId = parts.clusterId;
  }

  /** Carries a request to its end: a bodyless GET unless said otherwise. */
  get(said: Said = {}): Promise<Carried> {
    return carry(this.world.agents, callOf(this.clusterId, said));
  }

  /** Begins one. */
  open(said: Said = {}): Carried {
    return new Carried(this.world.agents, callOf(this.clusterId, said));
  }

  /** Forgets what was recorded and answers as at first. */
  reset(): void {
    this.api.answer = ({ response }) => response.end('ok');
    this.api.requests.length = 0;
    this.api.upgrade = (request) => request.echo();
    this.api.upgrades.length = 0;
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    await this.api.stop();
    await this.world.stop();
  }
}

/** `environment` may say otherwise how the agent reaches the API server. */
export async function startServed(
  options: ApiServerOptions = {},
  environment: (api: ApiServer) => Environment = () => ({}),
): Promise<Served> {
  const [world, api] = await Promise.all([startTunnelWorld(), startApiServer(options)]);
  const { clusterId, token } = await world.register();
  const agent = await startAgent({
    controlPlane: world.url,
    api,
    clusterId,
    token,
    environment: environment(api),
  });
  await until('the agent is connected', () => agent.connected() && world.agents.presence(clusterId) !== undefined);
  return new Served({ world, api, agent, clusterId });
}
