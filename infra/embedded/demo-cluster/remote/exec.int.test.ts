import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textAt } from '../objects.ts';
import { endOf, type Flavour, Kubectl, outputWith } from '../testing/kubectl.ts';
import { deletePod, runningPod, startPod, startTestCluster, type TestCluster } from '../testing/test-cluster.ts';

const flavours: Flavour[] = [
  { version: '1.27', webSockets: false },
  { version: '1.31', webSockets: false },
  { version: '1.31', webSockets: true },
  { version: '1.35', webSockets: false },
  { version: '1.35', webSockets: true },
];
const newest: Flavour = { version: '1.35', webSockets: true };

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

describe.each(flavours)('kubectl $version with webSockets: $webSockets', (flavour) => {
  it('runs a program, keeps its streams apart and ends with its exit code', async () => {
    const ended = await kubectl.run(flavour, ['exec', pod, '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(ended).toMatchObject({ code: 3, stderr: 'err\ncommand terminated with exit code 3\n' });
    expect(ended.stdout.toString()).toBe('out\n');
    expect((await kubectl.run(flavour, ['exec', pod, '--', 'true'])).code).toBe(0);
  });

  it('uses the protocol it is asked to use', async () => {
    const { stderr } = await kubectl.run(flavour, ['exec', pod, '-v=8', '--', 'true']);
    const viaGet = /GET https\S+\/exec|verb="GET" url="https\S+\/exec/.test(stderr);
    const viaPost = /POST https\S+\/exec|verb="POST" url="https\S+\/exec/.test(stderr);
    expect({ viaGet, viaPost }).toEqual({ viaGet: flavour.webSockets, viaPost: !flavour.webSockets });
  });

  it('hands over stdin to its end and gives a large stdout back', async () => {
    const data = randomBytes(2_000_000);
    const ended = await kubectl.run(flavour, ['exec', '-i', pod, '--', 'cat'], { stdin: data });
    expect([ended.code, ended.stdout.equals(data)]).toEqual([0, true]);
  });

  it('copies 5 MB into a pod and out again', async () => {
    const data = randomBytes(5_000_000);
    await writeFile(join(kubectl.folder, 'up.bin'), data);
    const up = await kubectl.run(flavour, ['cp', 'up.bin', `${pod}:/tmp/copied.bin`]);
    expect(up).toMatchObject({ code: 0, stderr: '' });
    const sum = await kubectl.run(flavour, ['exec', pod, '--', 'sha256sum', '/tmp/copied.bin']);
    expect(sum.stdout.toString().slice(0, 64)).toBe(createHash('sha256').update(data).digest('hex'));
    expect((await kubectl.run(flavour, ['cp', `${pod}:/tmp/copied.bin`, 'down.bin'])).code).toBe(0);
    expect((await readFile(join(kubectl.folder, 'down.bin'))).equals(data)).toBe(true);
  });

  it('is told what there is not, before and after the upgrade', async () => {
    const [program, container, missing, viewer] = await Promise.all([
      kubectl.run(flavour, ['exec', pod, '--', 'nothing']),
      kubectl.run(flavour, ['exec', pod, '-c', 'none', '--', 'ls']),
      kubectl.run(flavour, ['exec', 'none', '--', 'ls']),
      kubectl.run(flavour, ['exec', pod, '--', 'ls'], { as: 'viewer' }),
    ]);
    expect(program).toMatchObject({ code: 127, stderr: expect.stringContaining('OCI runtime exec failed') });
    expect(container.stderr).toBe(`Error from server (BadRequest): container none is not valid for pod ${pod}\n`);
    expect(missing.stderr).toBe('Error from server (NotFound): pods "none" not found\n');
    expect(viewer.stderr).toBe(
      `Error from server (Forbidden): pods "${pod}" is forbidden: User "dev@example.com" cannot create resource ` +
        '"pods/exec" in API group "" in the namespace "demo"\n',
    );
  });

  it('is told that the pod was deleted', async () => {
    const name = await startPod(cluster, `short-${flavour.version}-${flavour.webSockets}`);
    const running = kubectl.start(flavour, ['exec', name, '--', 'sh', '-c', 'echo started; sleep infinity']);
    const ended = endOf(running);
    await outputWith(running, 'started');
    await deletePod(cluster, name);
    expect(await ended).toMatchObject({ code: 137, stderr: 'command terminated with exit code 137\n' });
  });
});

describe('what a program in a pod finds', () => {
  const exec = async (...command: string[]): Promise<string> =>
    (await kubectl.run(newest, ['exec', pod, '--', ...command])).stdout.toString();

  it('is the environment of its container, references followed', async () => {
    expect(await exec('printenv', 'LOG_LEVEL')).toBe('info\n');
    expect(await exec('hostname')).toBe(`${pod}\n`);
  });

  it('is nothing of the machine', async () => {
    expect(await exec('cat', `${import.meta.dirname}/exec.ts`)).toBe('');
    expect(await exec('sh', '-c', 'ls /')).toBe('README\nbin\ndev\netc\nhome\nroot\ntmp\nvar\n');
  });

  it('is gone with the pod', async () => {
    const first = await startPod(cluster, 'again');
    await kubectl.run(newest, ['exec', first, '--', 'touch', '/tmp/mine']);
    await deletePod(cluster, first);
    const second = await startPod(cluster, 'again');
    const listed = await kubectl.run(newest, ['exec', second, '--', 'ls', '/tmp']);
    expect(listed).toMatchObject({ code: 0, stdout: Buffer.alloc(0) });
  });
});

describe('kubectl attach', () => {
  const attaching = flavours.filter(({ version, webSockets }) => webSockets || version === '1.27');
  it.each(attaching)('$version shows what is printed until the pod ends', async (flavour) => {
    const name = await startPod(cluster, `attached-${flavour.version}`);
    const attached = kubectl.start(flavour, ['attach', '-i', name]);
    const ended = endOf(attached);
    attached.stdin?.write('nobody reads this\n');
    const text = await outputWith(attached, 'ms\n');
    await deletePod(cluster, name);
    expect((await ended).code).toBe(0);
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\S+Z GET \/\S* \d{3} \d+ms\n/);
  });
});

describe('a request that is no session', () => {
  const path = (rest: string): string => `/api/v1/namespaces/demo/pods/${pod}/exec?${rest}`;
  it.each([
    ['without a command', 'stdout=true', 'you must specify at least one command for the container'],
    ['without a stream', 'command=ls', 'you must specify at least 1 of stdin, stdout, stderr'],
    ['without an upgrade', 'command=ls&stdout=true', 'Upgrade request required'],
  ])('%s is answered 400', async (_, query, message) => {
    for (const http of [1, 2] as const) {
      const answer = await cluster.ask({ http, method: 'POST', path: path(query) });
      expect([answer.status, textAt(answer.json, 'message')]).toEqual([400, message]);
    }
  });
});
