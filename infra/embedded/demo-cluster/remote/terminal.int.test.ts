import { type ChildProcess, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl as binaryOf } from '../../../e2e/parts/kubectl.ts';
import { endOf, type Flavour, Kubectl } from '../testing/kubectl.ts';
import { runningPod, startTestCluster, type TestCluster } from '../testing/test-cluster.ts';

const flavours: Flavour[] = [
  { version: '1.27', webSockets: false },
  { version: '1.31', webSockets: true },
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

/** kubectl at a terminal of its own, which `script` makes. */
function atTerminal(flavour: Flavour, command: string) {
  const line = `${binaryOf(flavour.version)} ${command}`;
  const child = kubectl.spawn('script', ['-qec', line, '/dev/null'], kubectl.environment(flavour));
  let seen = '';
  let changed = (): void => undefined;
  child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    changed();
  });
  const ended = endOf(child);
  return {
    type: (text: string): void => void child.stdin?.write(text),
    async sees(text: string): Promise<void> {
      const from = seen.length;
      while (!seen.slice(Math.max(0, from - text.length)).includes(text)) {
        await new Promise<void>((resolve, reject) => {
          changed = resolve;
          void ended.then(() => reject(new Error(`the session ended before it showed ${text}: ${seen}`)));
        });
      }
    },
    resize: (rows: number, columns: number): void => {
      execFileSync('stty', ['-F', terminalOf(child), 'rows', String(rows), 'cols', String(columns)]);
    },
    seen: () => seen,
    ended,
  };
}

/** The terminal that the program under `script` has as its stdin. */
function terminalOf(script: ChildProcess): string {
  const isChild = (pid: string): boolean =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(script.pid);
  const child = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isRunning(name) && isChild(name));
  return readlinkSync(`/proc/${child}/fd/0`);
}

function isRunning(pid: string): boolean {
  return readdirSync('/proc').includes(pid);
}

describe.each(flavours)('kubectl $version exec -it with webSockets: $webSockets', (flavour) => {
  it('talks to a shell, which learns the size of the terminal and its changes', async () => {
    const session = atTerminal(flavour, `exec -it ${pod} -- sh`);
    await session.sees('/ # ');
    session.resize(40, 120);
    session.type('echo $((');
    session.type('\x15echo typed wrogn\x7f\x7f\x7fong\r');
    await session.sees('\r\ntyped wrong\r\n/ # ');
    session.type('stty size\r');
    await session.sees('\r\n40 120\r\n');
    session.resize(50, 132);
    session.type('sleep 1000\r');
    await session.sees('sleep 1000\r\n');
    session.type('\x03');
    await session.sees('^C\r\n/ # ');
    session.type('stty size\r');
    await session.sees('\r\n50 132\r\n');
    session.type('cd /tmp; false\r');
    await session.sees('/tmp # ');
    session.type('exit 7\r');
    const { code } = await session.ended;
    expect([code, session.seen()]).toEqual([7, expect.stringContaining('command terminated with exit code 7')]);
  });
});
