import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestKeys, startTestCluster } from './testing/test-cluster.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-cluster-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('a state file', () => {
  it('brings back what users made and nothing they deleted', async () => {
    const stateFile = join(folder, 'kept', 'state.json');
    const first = await startTestCluster({ stateFile });
    await first.ask({
      method: 'POST',
      path: '/api/v1/namespaces/demo/configmaps',
      body: { metadata: { name: 'mine' } },
    });
    await first.ask({ method: 'DELETE', path: '/apis/apps/v1/namespaces/demo/deployments/web' });
    const uid = (await first.ask({ path: '/api/v1/namespaces/demo' })).json['metadata'];
    await first.stop();
    const second = await startTestCluster({ stateFile });
    expect((await second.ask({ path: '/api/v1/namespaces/demo/configmaps/mine' })).status).toBe(200);
    expect((await second.ask({ path: '/apis/apps/v1/namespaces/demo/deployments/web' })).status).toBe(404);
    expect((await second.ask({ path: '/api/v1/namespaces/demo' })).json['metadata']).toEqual(uid);
    await second.stop();
    expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
  });

  it('that is damaged stops the start and is named', async () => {
    const stateFile = join(folder, 'damaged.json');
    await writeFile(stateFile, '{"format":1,"objects"');
    await expect(startTestCluster({ stateFile })).rejects.toThrow(`${stateFile} is no JSON; delete it`);
  });
});

describe('run by itself', () => {
  it('prints where it listens and ends at a signal', async () => {
    const { tls } = await makeTestKeys();
    const at = (name: string): string => join(folder, name);
    await Promise.all([
      writeFile(at('cert'), tls.cert),
      writeFile(at('key'), tls.key),
      writeFile(at('token'), 'secret'),
    ]);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
      env: {
        TLS_CERT_PATH: at('cert'),
        TLS_KEY_PATH: at('key'),
        SERVICE_ACCOUNT_TOKEN_FILE: at('token'),
        STATE_FILE: at('state'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const line = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    expect(line).toMatch(/^listening 127\.0\.0\.1:\d+\n$/);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(await readFile(at('state'), 'utf8')).toContain('"web-config"');
  });
});
