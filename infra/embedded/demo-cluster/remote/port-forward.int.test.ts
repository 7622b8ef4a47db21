import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flavour, Kubectl } from '../testing/kubectl.ts';
import { deletePod, runningPod, startTestCluster, type TestCluster } from '../testing/test-cluster.ts';
import { madeUpBytes } from './web-app.ts';

const flavours: Flavour[] = [
  { version: '1.27', webSockets: false },
  { version: '1.31', webSockets: true },
  { version: '1.35', webSockets: false },
  { version: '1.35', webSockets: true },
];

let cluster: TestCluster;
let kubectl: Kubectl;
let pod: string;
beforeAll(async () => {
  cluster = await startTestCluster();
  kubectl = await Kubectl.for(cluster);
  pod = await runningPod(cluster);
});
afterAll(async () => {
  await kubectl.close();
  await cluster.stop();
});

interface Forwarded {
  url: string;
  port: number;
  /** What kubectl said on stderr so far. */
  said: () => string;
  ended: Promise<number | null>;
  stop: () => Promise<void>;
}

/** Runs `kubectl port-forward` until it listens. */
async function forward(flavour: Flavour, ...args: string[]): Promise<Forwarded> {
  const child = kubectl.start(flavour, ['port-forward', '-v=6', ...args]);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const port = await new Promise<number>((resolve, reject) => {
    void ended.then(() => reject(new Error(said)));
    child.stdout?.on('data', (chunk: Buffer) => {
      const found = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(chunk.toString());
      if (found !== null) resolve(Number(found[1]));
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await ended;
  };
  return { url: `http://127.0.0.1:${port}`, port, said: () => said, ended, stop };
}

describe.each(flavours)('kubectl $version with webSockets: $webSockets', (flavour) => {
  it('reaches the web server of a pod by its service, many connections at once, and large bodies', async () => {
    const { url, said, stop } = await forward(flavour, 'svc/web', ':80');
    expect(await (await fetch(url)).text()).toMatch(/^hello from web-/);
    const many = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const answer = await fetch(`${url}/bytes/${200_000 + index}`, { headers: { connection: 'close' } });
        return (await answer.arrayBuffer()).byteLength - index;
      }),
    );
    expect(new Set(many)).toEqual(new Set([200_000]));
    const body = randomBytes(10_000_000);
    const echoed = await fetch(`${url}/echo`, { method: 'POST', body });
    expect(Buffer.from(await echoed.arrayBuffer()).equals(body)).toBe(true);
    const sum = createHash('sha256');
    for (const piece of madeUpBytes(3_000_001)) sum.update(piece);
    const made = Buffer.from(await (await fetch(`${url}/bytes/3000001`)).arrayBuffer());
    expect(createHash('sha256').update(made).digest('hex')).toBe(sum.digest('hex'));
    await stop();
    const viaPost = /POST https\S+\/portforward|verb="POST" url="https\S+\/portforw/.test(said());
    expect(viaPost).toBe(!flavour.webSockets);
  });

  it('is told that nothing listens on another port', async () => {
    const { url, said, ended } = await forward(flavour, `pod/${pod}`, ':9999');
    await expect(fetch(url)).rejects.toThrow();
    await ended;
    expect(said()).toContain(`error forwarding port 9999 to pod ${pod}`);
    expect(said()).toContain('connection refused');
  });
});

describe('a forwarded connection', () => {
  const newest: Flavour = { version: '1.35', webSockets: true };

  it('ends on its own side when the client has said all', async () => {
    const { port, stop } = await forward(newest, 'svc/web', ':80');
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('GET /healthz HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok\n/);
    await stop();
  });

  it('ends with the pod', async () => {
    const { url, said, ended } = await forward(newest, `pod/${pod}`, ':8080');
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    await deletePod(cluster, pod);
    expect(await ended).toBe(1);
    expect(said()).toContain('lost connection to pod');
  });
});
