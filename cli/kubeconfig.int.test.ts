import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { contextsIn, currentContext, removeContexts, writeEntries } from './kubeconfig.ts';
import type { Entry } from './kubeconfig-document.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clustral-kube-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clusterId = (n: number): string => `0198f7a0-0000-7000-8000-${String(n).padStart(12, '0')}`;
const entry = (name: string, n = 1): Entry => ({
  name,
  cluster: { server: `https://clustral.example.com/api/proxy/${clusterId(n)}` },
  user: { token: `token ${n}` },
});
const set = { setContext: true, force: false };
async function writeEntry(
  files: readonly string[],
  one: Entry,
  { setContext, force }: typeof set,
): Promise<{ file: string | undefined; previousContext: string | undefined }> {
  const written = await writeEntries(files, [one], { current: setContext ? one.name : undefined, force });
  return { file: [...written.files.keys()][0], previousContext: written.previousContext };
}
const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);
const place = (name: string, text?: string): string => {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};

describe('writing a context', () => {
  it('makes a private file in a private folder', async () => {
    const file = join(folder, '.kube', 'config');
    expect(await writeEntry([file], entry('a'), set)).toEqual({ file, previousContext: undefined });
    expect([modeOf(file), modeOf(join(folder, '.kube'))]).toEqual(['600', '700']);
    expect(currentContext([file])).toBe('a');
  });

  it('keeps the mode of the file, and one private copy of what was there', async () => {
    const before = 'apiVersion: v1\nkind: Config\n# mine\n';
    const file = place('config', before);
    await writeEntry([file], entry('a'), set);
    expect(modeOf(file)).toBe('644');
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe(before);
    expect(modeOf(`${file}.bak`)).toBe('600');
    const second = readFileSync(file, 'utf8');
    await writeEntry([file], entry('b', 2), set);
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe(second);
  });

  it('writes through a symbolic link and leaves the link', async () => {
    const real = place('real', 'apiVersion: v1\n');
    const link = place('link');
    symlinkSync(real, link);
    await writeEntry([link], entry('a'), set);
    expect(readlinkSync(link)).toBe(real);
    expect(contextsIn([real]).map(({ name }) => name)).toEqual(['a']);
  });

  it.each([
    ['where the name lives', ['empty', 'holder'], 'holder'],
    ['into the first file that exists', ['missing', 'empty', 'holder'], 'empty'],
  ])('goes %s', async (_where, names, expected) => {
    place('empty', 'apiVersion: v1\n');
    const holder = place('holder');
    await writeEntry([holder], entry(expected === 'holder' ? 'a' : 'other', 2), { setContext: false, force: false });
    const files = names.map((name) => join(folder, name));
    expect((await writeEntry(files, entry('a'), set)).file).toBe(join(folder, expected));
  });

  it('goes into the last file when none exists', async () => {
    const files = ['one', 'two'].map((name) => join(folder, name));
    expect((await writeEntry(files, entry('a'), set)).file).toBe(files[1]);
  });

  it('sets the current context where kubectl looks for it', async () => {
    const first = place('first', 'current-context: mine\n');
    const second = place('second');
    await writeEntry([second], entry('a'), { setContext: false, force: false });
    const written = await writeEntry([first, second], entry('a'), set);
    expect(written).toEqual({ file: second, previousContext: 'mine' });
    expect(currentContext([first, second])).toBe('a');
    expect(parse(readFileSync(first, 'utf8'))).toEqual({ 'current-context': 'a' });
  });

  it('leaves the current context alone when asked to', async () => {
    const file = place('config', 'current-context: mine\n');
    await writeEntry([file], entry('a'), { setContext: false, force: false });
    expect(currentContext([file])).toBe('mine');
  });

  it('refuses a name that is not ours, and takes it with force', async () => {
    const text = 'contexts:\n- name: a\n  context: { cluster: x, user: y }\n';
    const file = place('config', text);
    await expect(writeEntry([file], entry('a'), set)).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringContaining("already has a 'a' that is not Clustral's"),
      fix: expect.stringContaining('--context-name'),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    await writeEntry([file], entry('a'), { ...set, force: true });
    expect(contextsIn([file]).map(({ name }) => name)).toEqual(['a']);
  });

  it('writes several at once, each where its name lives, and one copy of what was there', async () => {
    const [one, two] = [place('one', 'kind: Config\n'), place('two')];
    await writeEntry([two], entry('b', 2), { setContext: false, force: false });
    const before = readFileSync(two, 'utf8');
    const written = await writeEntries([one, two], [entry('a', 1), entry('b', 3), entry('c', 4)], {
      current: 'c',
      force: false,
    });
    expect([...written.files]).toEqual([
      [one, ['a', 'c']],
      [two, ['b']],
    ]);
    expect(readFileSync(`${one}.bak`, 'utf8')).toBe('kind: Config\n');
    expect(readFileSync(`${two}.bak`, 'utf8')).toBe(before);
    expect(currentContext([one, two])).toBe('c');
  });

  it('writes none of several when one is not ours', async () => {
    const file = place('config', 'users:\n- name: b\n  user: {}\n');
    await expect(writeEntries([file], [entry('a'), entry('b', 2)], { force: false })).rejects.toMatchObject({
      exitCode: 6,
    });
    expect(readFileSync(file, 'utf8')).toBe('users:\n- name: b\n  user: {}\n');
  });

  it('leaves a file alone that is no text', async () => {
    const file = place('config');
    const bytes = Buffer.from([...Buffer.from('# caf'), 0xe9, ...Buffer.from('\nkind: Config\n')]);
    writeFileSync(file, bytes);
    await expect(writeEntry([file], entry('a'), set)).rejects.toThrow('it is no text in UTF-8');
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('leaves a file alone that it does not understand', async () => {
    const file = place('config', 'a: [\n');
    await expect(writeEntry([file], entry('a'), set)).rejects.toThrow('is not a kubeconfig');
    expect(readFileSync(file, 'utf8')).toBe('a: [\n');
  });

  it('says where and why it cannot write', async () => {
    place('file', '');
    await expect(writeEntry([join(folder, 'file', 'config')], entry('a'), set)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(join(folder, 'file', 'config')),
    });
    await expect(writeEntry([folder], entry('a'), set)).rejects.toThrow('(EISDIR)');
  });

  it('waits for kubectl, which locks the same file, and then says who is in the way', async () => {
    const file = place('config', 'apiVersion: v1\n');
    const lock = place('config.lock', '');
    const writing = writeEntry([file], entry('a'), set);
    rmSync(lock);
    await writing;
    expect(contextsIn([file])).toHaveLength(1);
  });

  it('loses none of twenty that write at once', async () => {
    const file = join(folder, 'config');
    const all = Array.from({ length: 20 }, (_, n) => `c${n}`);
    await Promise.all(all.map((name, n) => writeEntry([file], entry(name, n), set)));
    expect(
      contextsIn([file])
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(all.toSorted());
  });
});

describe('removing contexts', () => {
  it('takes those that match from every file, and touches no other file', async () => {
    const [one, two, three] = [place('one'), place('two'), place('three', 'a:   1\n')];
    await writeEntry([one], entry('a', 1), set);
    await writeEntry([two], entry('b', 2), set);
    await writeEntry([two], entry('c', 3), set);
    const ids = [clusterId(1), clusterId(3)];
    const removed = await removeContexts([one, two, three, join(folder, 'none')], (context) =>
      ids.includes(context.clusterId),
    );
    expect(removed).toEqual(['a', 'c']);
    expect(contextsIn([one, two]).map(({ name }) => name)).toEqual(['b']);
    expect(readFileSync(three, 'utf8')).toBe('a:   1\n');
  });
});
