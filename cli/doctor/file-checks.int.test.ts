import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { versionIn } from '../kubectl.ts';
import { modesFinding } from './file-checks.ts';
import { policyFinding } from './kube-checks.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'clustral-doctor-'));
  chmodSync(home, 0o700);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
function put(name: string, mode: number): string {
  const path = join(home, name);
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(path, '{}', { mode });
  chmodSync(path, mode);
  return path;
}

describe('files at rest (ID-12)', () => {
  it('are private, or are not there yet', () => {
    put('profiles/default/config.json', 0o600);
    expect(modesFinding(home, false)).toEqual({ status: 'ok', what: `${home} is private` });
    expect(modesFinding(join(home, 'none'), false).status).toBe('ok');
  });

  it('that others can read are named, and made private when asked', () => {
    const account = put('profiles/default/accounts/a.json', 0o644);
    chmodSync(join(home, 'profiles'), 0o750);
    const found = modesFinding(home, false);
    expect(found).toMatchObject({ status: 'fail', fix: 'clustral doctor --fix' });
    expect(found.what).toContain(`${account} can be reached by others (644)`);
    expect(modesFinding(home, true)).toMatchObject({ status: 'ok', what: expect.stringContaining('private') });
    expect([modeOf(account), modeOf(join(home, 'profiles'))]).toEqual(['600', '700']);
    expect(modesFinding(home, false).status).toBe('ok');
  });

  it('that are links are neither followed nor mended', () => {
    const other = put('other', 0o644);
    symlinkSync(other, join(home, 'config.json'));
    const found = modesFinding(home, true);
    expect(found).toMatchObject({ status: 'fail', fix: `remove ${join(home, 'config.json')}, then sign in again` });
    expect(found.what).toBe(`${join(home, 'config.json')} is a symbolic link`);
  });

  it("are the tool's: what Node keeps compiled is in nobody's way", () => {
    put('compile-cache/v24/abc', 0o644);
    chmodSync(join(home, 'compile-cache'), 0o700);
    expect(modesFinding(home, false).status).toBe('ok');
  });
});

describe("kubectl's rules about plugins", () => {
  const rules = (text: string): string => {
    const path = join(home, 'kuberc');
    writeFileSync(path, `apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n${text}`);
    return path;
  };
  const list = (entry: string): string =>
    `credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n- name: cloud-login\n- ${entry}\n`;

  it.each([
    ['none', '', 'ok'],
    ['all plugins', 'credentialPluginPolicy: AllowAll\n', 'ok'],
    ['no plugin', 'credentialPluginPolicy: DenyAll\n', 'fail'],
    ['others', list('name: other'), 'fail'],
    ['this one by its path', list(`name: ${process.execPath}`), 'ok'],
    ['this one by its name', list('name: node'), 'ok'],
    ['this one as newer versions write it', list(`command: ${process.execPath}`), 'ok'],
  ])('allow %s', (_what, text, status) => {
    const finding = policyFinding(rules(text), versionIn('1.35'));
    expect(finding.status).toBe(status);
    if (status === 'fail') expect(finding.fix).toContain(`- name: ${process.execPath}`);
  });

  it('are read by a kubectl that knows them, and need not be there', () => {
    const path = rules('credentialPluginPolicy: DenyAll\n');
    expect(policyFinding(path, versionIn('1.34')).status).toBe('ok');
    expect(policyFinding(path, undefined).status).toBe('ok');
    expect(policyFinding(join(home, 'none'), versionIn('1.35')).status).toBe('ok');
  });
});
