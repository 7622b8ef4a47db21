import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createLog } from '@clustral/kernel/log.ts';
import { start } from './main.ts';
import { c1, eventually, sendRaw, startSurroundings, startTestGateway, statusOf } from './testing/gateway.ts';
import { writeServerCertificate } from './testing/server-certificate.ts';

const pods = `/api/proxy/${c1}/api/v1/pods`;

describe('the gateway as a server', () => {
  it('ends TLS itself when it is given a certificate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const ca = await writeServerCertificate(key, cert);
    const gateway = await startTestGateway({ TLS_CERT_PATH: cert, TLS_KEY_PATH: key });
    const authorization = `Bearer ${await gateway.kubeconfigToken()}`;
    const status = await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: gateway.port, path: pods, ca, headers: { authorization } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    const socket = connect({ host: '127.0.0.1', port: gateway.port, ca, ALPNProtocols: ['h2', 'http/1.1'] });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    expect([socket.alpnProtocol, socket.getProtocol()]).toEqual(['http/1.1', 'TLSv1.3']);
    socket.destroy();
    await gateway.stop();
    rmSync(folder, { recursive: true });
  });

  it('stops while a watch is open, and reports what it refused before', async () => {
    const gateway = await startTestGateway();
    gateway.controlPlane.answer = (incoming, response) => {
      if (incoming.url?.startsWith('/internal/')) return void response.writeHead(204).end();
      response.writeHead(200).flushHeaders();
    };
    const authorization = `Bearer ${await gateway.kubeconfigToken()}`;
    const watch = await fetch(`${gateway.url}${pods}?watch=1`, { headers: { authorization } });
    const ended = watch.text().catch(() => 'cut');
    expect((await fetch(`${gateway.url}${pods}`)).status).toBe(401);
    const stopping = performance.now();
    await gateway.stop();
    expect(performance.now() - stopping).toBeLessThan(4_500);
    expect(await ended).toBe('cut');
    expect(gateway.controlPlane.requests.some(({ url }) => url === '/internal/v1/refusals')).toBe(true);
  });

  it('I6 runs as a process and writes no token, no cookie and no secret of a URL to its log', async () => {
    const around = await startSurroundings();
    around.controlPlane.answer = (incoming) => void incoming.socket.destroy();
    const child = spawn(process.execPath, [new URL('./main.ts', import.meta.url).pathname], {
      env: { ...around.environment, LOG_LEVEL: 'trace' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const port = (): number => Number(/"port":(\d+)/.exec(output)?.[1] ?? 0);
    await eventually(() => output.includes('"msg":"ready"'), 10_000);
    const url = `http://127.0.0.1:${port()}`;
    await eventually(async () => (await fetch(`${url}/healthz/ready`)).status === 200);
    const [token, person] = [await around.kubeconfigToken(), await around.provider.token()];
    for (const [path, bearer] of [
      [pods, token],
      [pods, `${token}x`],
      ['/api/v1/x', person],
      ['/api/v1/x', token],
    ])
      await fetch(`${url}${path}?access_token=s3cr3t`, {
        headers: { authorization: `Bearer ${bearer}`, cookie: 'c00kie=1' },
      });
    await sendRaw(
      port(),
      `GET ${pods}?access_token=s3cr3t HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nX : 1\r\n\r\n`,
    );
    await eventually(() => output.includes('refusals could not be reported'));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output).not.toMatch(/eyJ[\w-]+\.|s3cr3t|c00kie|PRIVATE KEY/);
    await around.stop();
  });

  it('answers while somebody sends a head byte by byte', async () => {
    const gateway = await startTestGateway();
    const slow = sendRaw(gateway.port, 'GET / HT', { endAfterMs: 300 });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(statusOf(await slow)).toBe(0);
    await gateway.stop();
  });

  it("is not ready while the provider's keys are not known, and is alive", async () => {
    const around = await startSurroundings();
    around.provider.misbehave = (_request, response) => void response.writeHead(503).end();
    const running = await start(around.environment, createLog('gateway', 'silent'));
    const status = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${running.port}${path}`)).status;
    expect([await status('/healthz'), await status('/healthz/ready'), await status('/gateway/healthz/ready')]).toEqual([
      200, 503, 503,
    ]);
    around.provider.misbehave = undefined;
    await eventually(async () => (await status('/healthz/ready')) === 200, 10_000);
    await running.stop();
    await around.stop();
  });
});
