import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEventStore } from '../../infra/embedded/event-store/start.ts';
import { freePorts } from '../../infra/standalone/ports.ts';
import { admin, alice, prepareInstallation, RestClient } from './testing/installation.ts';

describe('the log of the control plane', () => {
  it('PX-22 I6 holds no token, no cookie and no secret of a URL, however much is logged', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'logged-'));
    const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
    const { environment, gateway } = await prepareInstallation(join(folder, 'data'), server.connectionString);
    const client = new RestClient(gateway);
    const [port = 0] = await freePorts(1);
    client.port = port;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: { PATH: process.env['PATH'], ...environment, PORT: String(port), LOG_LEVEL: 'trace' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await expect.poll(() => output, { timeout: 15_000 }).toContain('"msg":"ready"');

    const cluster = await client.call(admin, 'POST /api/v1/clusters', { body: { name: 'prod' } });
    const { clusterId = '', bootstrapToken = '' } = cluster.json as Readonly<Record<string, string>>;
    const issued = await client.call(alice, 'POST /api/v1/auth/kubeconfig-credential', { body: { clusterId } });
    const { token = '' } = issued.json as Readonly<Record<string, string>>;
    expect([bootstrapToken.length, token.length].every((length) => length > 40)).toBe(true);
    const headers = { cookie: 'c00kie=1', authorization: `Bearer ${token}` };
    for (const path of ['/api', '/api/v1/namespaces/n/secrets/s'])
      for (const who of [alice, undefined, { sub: randomUUID(), cluster_id: clusterId, credential_id: randomUUID() }])
        await client.call(who, `GET /api/proxy/${clusterId}${path}?access_token=s3cr3t&token=s3cr3t`, { headers });
    await client.call(alice, 'GET /api/v1/users/me?token=s3cr3t', { headers });
    await client.call(undefined, 'GET /api/v1/users/me', { headers: { ...headers, 'x-internal-token': token } });
    await client.call(alice, 'POST /api/v1/auth/revoke-by-token', { body: { token } });

    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output).not.toMatch(/eyJ[\w-]+\.|s3cr3t|c00kie|PRIVATE KEY/);
    expect(output).not.toContain(bootstrapToken);
    await server.stop();
    rmSync(folder, { recursive: true });
  });
});
