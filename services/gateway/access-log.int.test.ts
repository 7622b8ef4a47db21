import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../infra/standalone/ports.ts';
import { c1, eventually, sendRaw, startSurroundings, type Surroundings } from './testing/gateway.ts';

const secret = 's3cr3t';
let around: Surroundings;
let port = 0;
let output = '';
let stop: () => Promise<number | null>;

beforeAll(async () => {
  around = await startSurroundings();
  [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env['PATH'], ...around.environment, PORT: String(port), LOG_LEVEL: 'trace' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  await eventually(async () => (await ask('/healthz/ready').catch(() => undefined))?.status === 200, 20_000);
});
afterAll(async () => {
  await stop();
  await around.stop();
});

const ask = (path: string, token?: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
  });

type Line = Readonly<Record<string, unknown>>;

const lines = (): readonly Line[] =>
  output
    .split('\n')
    .filter((line) => line.includes('"msg":"request"'))
    .map((line) => JSON.parse(line) as Line);
/** The lines about a path, once there is one. */
const about = async (path: string): Promise<readonly Line[]> => {
  await eventually(() => lines().some((line) => line['path'] === path));
  return lines().filter((line) => line['path'] === path);
};

describe('the access log', () => {
  it('has one line for each request, with what an operator looks for', async () => {
    const token = await around.kubeconfigToken();
    const path = `/api/proxy/${c1}/api/v1/namespaces/one`;
    const answer = await ask(path, token, { 'x-forwarded-for': '203.0.113.7' });
    expect(await about(path)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^20\d\d-.*Z$/),
        service: 'gateway',
        msg: 'request',
        method: 'GET',
        path,
        status: answer.status,
        ms: expect.any(Number),
        from: '203.0.113.7',
        correlationId: answer.headers.get('x-correlation-id'),
        credentialId: 'credential-1',
      },
    ]);
  });

  it.each([
    ['the admin API', '/api/v1/clusters?one', 401],
    ['health', '/healthz?one', 200],
    ['a page', '/some/page?one', 200],
    ['nothing', '/api/v1x', 200],
    ['what the router cannot read', '/api/v1/%zz', 400],
    ['what is refused as malformed', '/x%2f..%2fone', 400],
  ])('has one line for %s', async (_what, target, status) => {
    await (await ask(target)).arrayBuffer();
    const [path = ''] = target.split('?');
    const found = await about(path);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ method: 'GET', status, from: '127.0.0.1' });
  });

  it('has one line for bytes that are no request', async () => {
    await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n');
    const [line] = await about('-');
    expect(line).toMatchObject({ method: '-', status: 400, from: '127.0.0.1' });
  });

  it('says of a request that was given up that it was', async () => {
    const path = `/api/proxy/${c1}/given-up`;
    const token = await around.kubeconfigToken();
    const usual = around.controlPlane.answer;
    around.controlPlane.answer = () => undefined;
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    await eventually(() => around.controlPlane.requests.some(({ url }) => url === path));
    socket.destroy();
    around.controlPlane.answer = usual;
    expect(await about(path)).toMatchObject([{ cut: true, status: 0 }]);
  });

  it('PX-22 I6 holds no secret, whatever is sent and however much is logged', async () => {
    const [person, kubeconfig] = [await around.provider.token(), await around.kubeconfigToken()];
    const bootstrap = `clustral1.${'a'.repeat(43)}.${'b'.repeat(43)}`;
    for (const token of [person, kubeconfig, `${person}x`, undefined]) {
      for (const base of [`/api/proxy/${c1}/api`, '/api/v1/clusters', '/realms/x', '/page', '/healthz'])
        for (const path of [
          `${base}?access_token=${secret}&token=${kubeconfig}&code=${secret}`,
          `${base}/${person}/${bootstrap}`,
        ])
          await (
            await ask(path, token, {
              cookie: `session=${secret}`,
              'x-internal-token': kubeconfig,
              'x-forwarded-for': secret,
            })
          ).arrayBuffer();
    }
    await sendRaw(
      port,
      `GET /${kubeconfig} HTTP/1.1\r\nHost: ${secret}\r\nAuthorization: Bearer ${person}\r\nX: a\rb\r\n\r\n`,
    );
    await ask('/the-last-one');
    await about('/the-last-one');
    expect(lines().length).toBeGreaterThan(40);
    expect(output).not.toMatch(/eyJ[\w-]+\.|s3cr3t|clustral1\.|PRIVATE KEY/);
    for (const part of [...person.split('.'), ...kubeconfig.split('.')]) expect(output).not.toContain(part);
  });

  it('has written everything when the gateway has ended', async () => {
    await ask('/before-the-end');
    expect(await stop()).toBe(0);
    expect(lines().filter(({ path }) => path === '/before-the-end')).toHaveLength(1);
  });
});
