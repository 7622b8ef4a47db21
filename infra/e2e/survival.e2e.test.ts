/** Starts, ends and deaths: what is refused before anything is started, a clean stop, and the kill -9 of any one process and of all at once. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl } from './parts/kubectl.ts';
import {
  newPerson,
  newPlace,
  processesOf,
  refusedStart,
  startProduct,
  until,
  type Person,
  type Product,
  type ProductPlace,
} from './parts/product.ts';

const binary = kubectl('1.35');

let place: ProductPlace;
let product: Product;
let admin: Person;

beforeAll(async () => {
  place = await newPlace();
  product = await startProduct(place);
  admin = newPerson();
  expect((await admin.signIn(product, 'admin')).code).toBe(0);
  expect((await admin.clustral('kube', 'login', 'demo')).code).toBe(0);
});

afterAll(async () => {
  await product?.stop();
  admin?.remove();
});

const works = async (): Promise<boolean> =>
  (await admin.kubectl(binary, ['get', 'ns', '--request-timeout=5s'])).code === 0;

describe('what cannot be started', () => {
  const folder = (): string => mkdtempSync(join(tmpdir(), 'clustral-refused-'));

  it('a second start on the same folder is told so, and the first goes on', async () => {
    const second = await refusedStart('--data', place.dataFolder, '--port', '1', '--tunnel-port', '2');
    expect(second.code).toBe(1);
    expect(second.stderr).toBe(
      `The data folder ${place.dataFolder} is in use by another 'npm start': stop that one, or choose another folder with --data.\n`,
    );
    expect(await works()).toBe(true);
  });

  it('a taken port is named', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const refused = await refusedStart('--data', folder(), '--port', String(port), '--tunnel-port', '2');
    taken.close();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toBe(`Port ${port} is in use by another program: stop it, or choose another with --port.\n`);
  });

  it.each([
    [
      'a folder of something else',
      (at: string) => writeFileSync(join(at, 'thesis.txt'), ''),
      'holds other files (thesis.txt) and no Clustral data',
    ],
    [
      'a newer format',
      (at: string) => writeFileSync(join(at, 'format'), '2\n'),
      'was written by a newer Clustral (format 2, this build knows 1)',
    ],
    [
      'a damaged format',
      (at: string) => writeFileSync(join(at, 'format'), 'x\n'),
      'is damaged: it must hold the number 1',
    ],
    [
      'missing keys',
      (at: string) => (writeFileSync(join(at, 'format'), '1\n'), mkdirSync(join(at, 'event-store'))),
      'is missing while there is a log beside it',
    ],
    [
      'a damaged key',
      (at: string) => (
        writeFileSync(join(at, 'format'), '1\n'),
        mkdirSync(join(at, 'ca')),
        writeFileSync(join(at, 'ca/ca.crt'), 'x')
      ),
      'is missing or damaged',
    ],
  ])('%s is refused in a sentence and left as it is', async (_what, prepare, sentence) => {
    const at = folder();
    prepare(at);
    const refused = await refusedStart('--data', at, '--port', '1', '--tunnel-port', '2');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(sentence);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('a folder that cannot be made is named', async () => {
    const refused = await refusedStart('--data', '/proc/nowhere/data');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('The data folder /proc/nowhere/data cannot be written');
  });

  it.each([['--port', 'x'], ['--port', '70000'], ['--prot', '1'], ['extra']])(
    'the flags %s %s are a usage error',
    async (...flags) => {
      expect((await refusedStart(...flags)).code).toBe(2);
    },
  );
});

describe('the death of a process', () => {
  it.each(['gateway', 'agent', 'projections', 'control-plane', 'embedded'])(
    '%s: kubectl works again by itself, and nothing acknowledged is lost',
    async (name) => {
      const role = `before-${name}-died`;
      const created = await admin.clustral('roles', 'create', role, '--group', 'x');
      expect(created.code, created.stderr).toBe(0);
      const pid = processesOf(product).get(name);
      expect(pid, [...processesOf(product).keys()].join(', ')).toBeDefined();
      process.kill(pid ?? 0, 'SIGKILL');
      await until(() => processesOf(product).get(name) !== undefined && processesOf(product).get(name) !== pid, {
        limitMs: 10_000,
        what: () => `${name} to be started again`,
      });
      await until(works, {
        limitMs: 20_000,
        what: () => `kubectl to work after the death of ${name}:\n${product.printed()}`,
      });
      await until(async () => (await admin.clustral('roles', 'list', '-o', 'name')).stdout.includes(`role/${role}`), {
        limitMs: 15_000,
        what: () => `role ${role}`,
      });
    },
  );

  it('all at once: the next start has everything', async () => {
    expect((await admin.clustral('roles', 'create', 'before-all-died', '--group', 'x')).code).toBe(0);
    const all = [product.process.pid ?? 0, ...processesOf(product).values()];
    for (const pid of all) process.kill(pid, 'SIGKILL');
    await until(() => product.process.exitCode !== null || product.process.signalCode !== null, {
      limitMs: 5_000,
      what: () => 'the death of all',
    });
    product = await startProduct(place);
    await until(works, { limitMs: 10_000, what: () => 'kubectl to work' });
    expect((await admin.clustral('roles', 'list', '-o', 'name')).stdout).toContain('role/before-all-died');
  });

  it('leaves no process behind when only the supervisor is killed', async () => {
    const children = [...processesOf(product).values()];
    process.kill(product.process.pid ?? 0, 'SIGKILL');
    await until(() => children.every((pid) => !isAlive(pid)), { limitMs: 6_000, what: () => 'the children to notice' });
    product = await startProduct(place);
    await until(works, { limitMs: 10_000, what: () => 'kubectl to work' });
  });
});

describe('a clean stop', () => {
  it('takes at most 5 s and ends with 0, and the next start goes on with the same data', async () => {
    const begun = performance.now();
    expect(await product.stop()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5_000);
    product = await startProduct(place);
    expect(await works()).toBe(true);
    expect((await admin.clustral('roles', 'list', '-o', 'name')).stdout).toContain('role/before-all-died');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
