/**
 * What people do with a running pod: exec, attach, cp and port-forward, with both streaming protocols, as a suite that runs against any
 * cluster. It knows nothing of the cluster but a pod, and how to have bytes echoed by it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl, type KubectlVersion } from './kubectl.ts';
import { until, type Finished, type Person, type Running } from './product.ts';

/** The pod of a cluster. Asked for when the tests run. */
export type Stage = {
  readonly person: Person;
  readonly namespace: string;
  readonly pod: string;
  /** Port of the pod whose service gives back what it is sent. */
  readonly echoPort: number;
  /** Sends bytes to that service by a local port, and gives what comes back. */
  readonly echo: (localPort: number, bytes: Buffer) => Promise<Buffer>;
  /** What the pod prints over and over, for logs and attach. */
  readonly printed: RegExp;
};

const protocols: readonly (readonly [version: KubectlVersion, protocol: 'SPDY' | 'WebSocket'])[] = [
  ['1.27', 'SPDY'],
  ['1.31', 'SPDY'],
  ['1.31', 'WebSocket'],
  ['1.35', 'WebSocket'],
];

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Declares the suite. `stage` is called in each test. */
export function streamsSuite(stage: () => Stage): void {
  let files: string;
  beforeAll(() => {
    files = mkdtempSync(join(tmpdir(), 'clustral-streams-'));
  });
  afterAll(() => rmSync(files, { recursive: true, force: true }));

  describe.each(protocols)('with kubectl %s by %s', (version, protocol) => {
    const hand = new Hand(stage, version, protocol);
    execTests(hand);
    terminalTest(hand);
    attachTest(hand);
    copyTest(hand, () => files);
    forwardTest(hand);
  });
}

/** A person with a kubectl of one version that speaks one protocol. */
class Hand {
  readonly binary: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #stage: () => Stage;

  constructor(stage: () => Stage, version: KubectlVersion, protocol: 'SPDY' | 'WebSocket') {
    const isWebSocket = String(protocol === 'WebSocket');
    this.#stage = stage;
    this.binary = kubectl(version);
    this.env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: isWebSocket, KUBECTL_PORT_FORWARD_WEBSOCKETS: isWebSocket };
  }

  get stage(): Stage {
    return this.#stage();
  }

  start(args: readonly string[], typing = false): Running {
    const { person, namespace } = this.stage;
    return person.startKubectl(this.binary, ['-n', namespace, ...args], { env: this.env, typing });
  }

  run(...args: readonly string[]): Promise<Finished> {
    return this.start(args).exited;
  }

  exec(...command: readonly string[]): Promise<Finished> {
    return this.run('exec', this.stage.pod, '--', ...command);
  }
}

function execTests(hand: Hand): void {
  it('runs a command a hundred times, and ends as it did', async () => {
    const ends: (number | null)[] = [];
    const next = async (): Promise<void> => {
      while (ends.length < 100) {
        const wanted = ends.push(null) - 1;
        const { code, stdout, stderr } = await hand.exec('sh', '-c', `ls / && exit ${wanted % 3}`);
        expect(stdout, stderr).toContain('tmp');
        ends[wanted] = code;
      }
    };
    await Promise.all(Array.from({ length: 5 }, next));
    expect(ends).toEqual(ends.map((_, at) => at % 3));
  });

  it('passes an end of input on, and what is said after it', async () => {
    const running = hand.start(['exec', '-i', hand.stage.pod, '--', 'sh', '-c', 'cat; echo done; exit 7'], true);
    running.child.stdin?.end('one line\n');
    const { code, stdout, stderr } = await running.exited;
    expect(stdout, stderr).toBe('one line\ndone\n');
    expect(code).toBe(7);
  });
}

function terminalTest(hand: Hand): void {
  it('gives a terminal that knows when its window changes', async () => {
    const { person, namespace, pod } = hand.stage;
    const { binary, env } = hand;
    const command = `tty; exec ${binary} -n ${namespace} exec -it ${pod} -- sh`;
    const terminal = person.startKubectl('script', ['-qec', command, '/dev/null'], { env, typing: true });
    const seen = (wanted: RegExp): Promise<void> =>
      until(() => wanted.test(terminal.stdout()), {
        limitMs: 20_000,
        what: () => `${wanted} in the terminal:\n${terminal.stdout()}${terminal.stderr()}`,
      });
    await seen(/\/dev\/pts\/\d+/);
    const [device = ''] = /\/dev\/pts\/\d+/.exec(terminal.stdout()) ?? [];
    await seen(/[#$] /);
    execFileSync('stty', ['-F', device, 'rows', '41', 'cols', '103']);
    // The new size travels by itself; the shell is asked until it has arrived.
    await until(
      () => {
        terminal.child.stdin?.write('stty size\n');
        return /^41 103\r?$/m.test(terminal.stdout());
      },
      { limitMs: 10_000, what: () => `the new size in the terminal:\n${terminal.stdout()}` },
    );
    terminal.child.stdin?.write('exit 5\n');
    expect((await terminal.exited).code).toBe(5);
  });
}

function attachTest(hand: Hand): void {
  it('attaches to what a pod prints', async () => {
    const attached = hand.start(['attach', hand.stage.pod]);
    await until(() => hand.stage.printed.test(attached.stdout()), {
      limitMs: 20_000,
      what: () => `a line of the pod: ${attached.stdout()}${attached.stderr()}`,
    });
    attached.kill();
  });
}

function copyTest(hand: Hand, files: () => string): void {
  it('copies 50 MB there and back unharmed', async () => {
    const { pod } = hand.stage;
    const bytes = randomBytes(50 << 20);
    const [there, back] = [join(files(), 'there'), join(files(), 'back')];
    writeFileSync(there, bytes);
    const remote = '/tmp/copied';
    const put = await hand.run('cp', there, `${pod}:${remote}`);
    expect(put.code, put.stderr).toBe(0);
    expect((await hand.exec('sha256sum', remote)).stdout).toContain(hash(bytes));
    const got = await hand.run('cp', '--retries=3', `${pod}:${remote}`, back);
    expect(got.code, got.stderr).toBe(0);
    expect(hash(readFileSync(back))).toBe(hash(bytes));
    await hand.exec('rm', remote);
  });
}

function forwardTest(hand: Hand): void {
  it('forwards a port: 10 MB both ways, and twenty connections at once', async () => {
    const { pod, echoPort, echo } = hand.stage;
    const forwarding = hand.start(['port-forward', `pod/${pod}`, `:${echoPort}`]);
    const address = /Forwarding from 127\.0\.0\.1:(\d+)/;
    await until(() => address.test(forwarding.stdout()), {
      limitMs: 20_000,
      what: () => `the local port: ${forwarding.stdout()}${forwarding.stderr()}`,
      failed: () => forwarding.child.exitCode !== null,
    });
    const port = Number(address.exec(forwarding.stdout())?.[1]);
    const large = randomBytes(10 << 20);
    expect(hash(await echo(port, large))).toBe(hash(large));
    const many = Array.from({ length: 20 }, () => randomBytes(200_000));
    const echoed = await Promise.all(many.map((bytes) => echo(port, bytes)));
    expect(echoed.map(hash)).toEqual(many.map(hash));
    forwarding.kill();
  });
}
