/** `doctor` as a process: what it finds in a healthy home, in a broken one, and without a server. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exampleState } from '../testing/api.ts';
import { makeHome, signIn, type Home } from '../testing/command-line.ts';
import { startInstallation, type Installation } from '../testing/installation.ts';

type Result = { readonly check: string; readonly status: string; readonly message: string; readonly fix?: string };

let installation: Installation;
let home: Home;
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());
beforeEach(() => {
  Object.assign(installation.state, exampleState());
  home = makeHome();
});
afterEach(() => home.remove());

const examine = async (...flags: readonly string[]): Promise<{ code: number | null; checks: readonly Result[] }> => {
  const { code, stdout } = await home.run(['doctor', '-o', 'json', ...flags]);
  return { code, checks: (JSON.parse(stdout) as { checks: Result[] }).checks };
};
const statusOf = (checks: readonly Result[], status: string): readonly string[] =>
  checks.filter((one) => one.status === status).map(({ check }) => check);
/** A kubectl that says its version, on the PATH of the home. */
const addKubectl = (): void => {
  const version = '{"clientVersion":{"major":"1","minor":"35","gitVersion":"v1.35.0"}}';
  writeFileSync(join(home.path, 'kubectl'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
};

describe('doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    addKubectl();
    await signIn(home, installation);
    expect((await home.run(['kube', 'login', 'prod'])).code).toBe(0);
    const { code, checks } = await examine();
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(code).toBe(0);
  });

  it('says for each thing that is wrong what to do, and mends what it can when it is told to', async () => {
    addKubectl();
    await signIn(home, installation);
    await home.run(['kube', 'login', 'prod']);
    const own = join(home.path, '.clustral');
    chmodSync(own, 0o755);
    const kubeconfig = join(home.path, '.kube', 'config');
    writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace(/command: .*/, 'command: /gone/clustral'));
    const { code, checks } = await examine();
    expect(code).toBe(1);
    const bad = checks.filter(({ status }) => status === 'fail' || status === 'warn');
    expect(bad.length).toBeGreaterThanOrEqual(2);
    for (const { fix } of bad) expect(fix).toBeTruthy();
    expect(JSON.stringify(bad)).toContain('/gone/clustral');
    await examine('--fix');
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(readFileSync(kubeconfig, 'utf8')).not.toContain('/gone/clustral');
    expect(statusOf((await examine()).checks, 'fail')).toEqual([]);
  });

  it('skips what needs a server that does not answer, because of that', async () => {
    await signIn(home, installation);
    const profile = join(home.path, '.clustral', 'profiles', 'default', 'config.json');
    const port = new URL(installation.origin).port;
    writeFileSync(profile, readFileSync(profile, 'utf8').replaceAll(`localhost:${port}`, 'localhost:1'));
    const { code, checks } = await examine();
    expect(code).toBe(1);
    expect(statusOf(checks, 'skipped').length).toBeGreaterThan(1);
    expect(checks.find(({ status }) => status === 'skipped')?.message).toMatch(/^because '.+' failed$/);
  });

  it('begins with the sign-in where nobody has signed in yet', async () => {
    mkdirSync(join(home.path, '.kube'));
    const { code, checks } = await examine();
    expect(code).toBe(1);
    expect(JSON.stringify(checks)).toContain('clustral login');
  });

  it('ID-16 shows no token', async () => {
    addKubectl();
    await signIn(home, installation);
    await home.run(['kube', 'login', 'prod']);
    const { stdout, stderr } = await home.run(['doctor', '--debug']);
    expect(stdout + stderr).not.toMatch(/eyJ[\w-]{10,}/);
  });
});
