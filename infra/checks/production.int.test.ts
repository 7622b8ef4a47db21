import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareInstallation } from '@clustral/control-plane/testing/installation.ts';
import { startSurroundings, type Surroundings } from '@clustral/gateway/testing/gateway.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { environments } from '../standalone/environment.ts';
import { partLoaders } from '../standalone/parts.ts';
import { root } from './committed-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'production-'));
let around: Surroundings;
let controlPlane: Environment;

beforeAll(async () => {
  around = await startSurroundings();
  ({ environment: controlPlane } = await prepareInstallation(join(folder, 'data'), 'unix:/nowhere'));
  writeFileSync(join(folder, 'token'), 'x');
});
afterAll(async () => {
  await around.stop();
  rmSync(folder, { recursive: true });
});

type Ended = { readonly code: number | null; readonly output: string };

/** Runs a service as a process of its own until it ends; one that starts is ended after some seconds, without a code. */
async function run(main: string, environment: Environment): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, main)], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(patience);
  return { code, output };
}

const production = { CLUSTRAL_ENV: 'production' };
const agent = (): Environment => ({
  ...production,
  AGENT_CLUSTER_ID: randomUUID(),
  AGENT_CONTROL_PLANE_URL: 'https://127.0.0.1:1',
  AGENT_CREDENTIAL_PATH: join(folder, 'agent'),
  AGENT_KUBERNETES_API_URL: 'https://127.0.0.1:1',
  AGENT_KUBERNETES_CA_PATH: join(folder, 'token'),
  AGENT_KUBERNETES_TOKEN_PATH: join(folder, 'token'),
});
const gateway = (): Environment => ({
  ...around.environment,
  ...production,
  OIDC_REQUIRE_HTTPS: 'true',
  OIDC_AUTHORITY: 'https://id.example',
  OIDC_METADATA_ADDRESS: 'https://id.example/.well-known/openid-configuration',
});

describe('SC-01 in production', () => {
  it.each<[string, string, () => Environment, string]>([
    ['an identity over plain http', 'services/gateway/main.ts', gateway, 'OIDC_REQUIRE_HTTPS=false'],
    ['the embedded identity provider', 'services/gateway/main.ts', gateway, 'IDENTITY_PROVIDER_URL=http://127.0.0.1:1'],
    ['an API server that is not verified', 'agent/main.ts', agent, 'AGENT_KUBERNETES_SKIP_TLS_VERIFY=true'],
    ['a person’s kubeconfig', 'agent/main.ts', agent, 'AGENT_KUBECONFIG=/x/kubeconfig'],
    ['a seed', 'services/control-plane/main.ts', () => ({ ...controlPlane, ...production }), 'SEED_PATH=/x/seed.json'],
  ])('%s ends the process with a code and names the variable', async (...[, main, environment, setting]) => {
    const [name = '', value] = setting.split('=');
    const { code, output } = await run(main, { ...environment(), [name]: value });
    expect(code, output).toBe(1);
    expect(output).toContain(`${name}: this value is for trying out only, not for CLUSTRAL_ENV=production`);
    expect(output).not.toContain('"msg":"ready"');
  });

  it('is what a service takes for granted when nobody says anything', async () => {
    const unsaid: Environment = { ...gateway(), CLUSTRAL_ENV: undefined, OIDC_REQUIRE_HTTPS: 'false' };
    expect((await run('services/gateway/main.ts', unsaid)).output).toContain('OIDC_REQUIRE_HTTPS');
  });

  it.each(['event-store', 'identity-provider', 'demo-cluster'] as const)(
    'the embedded %s refuses to run',
    async (part) => {
      const ports = { gateway: 1, tunnel: 1, controlPlane: 1, audit: 1, web: 1, identityProvider: 1, demoCluster: 1 };
      const { [part]: environment } = environments({ dataFolder: folder, ports, demoClusterId: randomUUID() });
      const secret = { SERVICE_ACCOUNT_TOKEN_FILE: undefined, SERVICE_ACCOUNT_TOKEN: 'x'.repeat(32) };
      const start = await partLoaders[part]();
      const started = start({ ...environment, ...secret, ...production }, createLog('test', 'silent'));
      await expect(started).rejects.toThrow(/CLUSTRAL_ENV: the embedded .* not for production/);
    },
  );
});
