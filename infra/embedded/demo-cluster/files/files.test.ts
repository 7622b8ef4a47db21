import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget } from './budget.ts';
import { FileTree } from './file-tree.ts';
import { MemoryFile } from './memory-file.ts';
import { resolvePath } from './paths.ts';

const now = (): Date => new Date(0);

async function contentOf(file: { read?: () => AsyncIterable<Buffer> }): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of file.read?.() ?? []) blocks.push(block);
  return Buffer.concat(blocks);
}

describe('a file in memory', () => {
  it('holds what was appended, whatever the pieces, and takes less than twice its size', async () => {
    const piece = fc.uint8Array({ maxLength: 100_000 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const budget = new Budget(1_000_000);
        const file = new MemoryFile(budget, now());
        for (const data of pieces) file.append(data);
        const whole = Buffer.concat(pieces);
        expect(file.size).toBe(whole.length);
        expect((await contentOf(file)).equals(whole)).toBe(true);
        expect(budget.usedBytes).toBeLessThanOrEqual(Math.max(2 * whole.length, whole.length + 65_536));
        file.truncate();
        expect(budget.usedBytes).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('is read as it was when reading began', async () => {
    const file = new MemoryFile(new Budget(1_000_000), now());
    file.append(Buffer.from('before'));
    const reading = file.read();
    const first = await reading.next();
    file.append(Buffer.from(' and after'));
    expect([String(first.value), (await reading.next()).done]).toEqual(['before', true]);
  });

  it('ends for a reader when it is deleted', async () => {
    const file = new MemoryFile(new Budget(1_000_000), now());
    file.append(Buffer.alloc(200_000));
    const reading = file.read();
    await reading.next();
    file.truncate();
    expect((await reading.next()).done).toBe(true);
  });

  it('takes no more than there is room for in the pod or in all pods', () => {
    const all = new Budget(100_000);
    const [one, other] = [
      new MemoryFile(new Budget(70_000, all), now()),
      new MemoryFile(new Budget(70_000, all), now()),
    ];
    expect(() => one.append(Buffer.alloc(80_000))).toThrow('No space left on device');
    expect(() => other.append(Buffer.alloc(60_000))).toThrow('No space left on device');
    one.truncate();
    other.append(Buffer.alloc(1_000));
    expect(all.usedBytes).toBe(1_024);
  });
});

describe('a tree of files', () => {
  it('makes, finds and removes, and gives the room back', () => {
    const budget = new Budget(100_000);
    const tree = new FileTree(budget, now);
    tree.makeDirectory('/a/b', true);
    const file = tree.fileAt('/a/b/c');
    if (file.kind === 'file') file.append(Buffer.from('x'));
    expect(tree.at('/a/b/c')).toBe(file);
    expect(() => tree.at('/a/b/c/d')).toThrow('Not a directory');
    expect(() => tree.at('/a/x')).toThrow('No such file or directory');
    expect(() => tree.fileAt('/x/y')).toThrow('No such file or directory');
    expect(() => tree.fileAt('/a')).toThrow('Is a directory');
    expect(() => tree.makeDirectory('/a')).toThrow('File exists');
    expect(() => tree.remove('/a', false)).toThrow('Is a directory');
    expect(() => tree.remove('/', true)).toThrow('Device or resource busy');
    tree.remove('/a', true);
    expect(budget.usedBytes).toBe(0);
  });

  it('takes only names and depths that are usual', () => {
    const tree = new FileTree(new Budget(1_000_000), now);
    expect(() => tree.fileAt(`/${'n'.repeat(256)}`)).toThrow('File name too long');
    expect(() => tree.makeDirectory('/d'.repeat(30_000), true)).toThrow('File name too long');
  });

  it('counts empty files too', () => {
    const tree = new FileTree(new Budget(13_000), now);
    for (const name of ['a', 'b', 'c']) tree.fileAt(`/${name}`);
    expect(() => tree.fileAt('/d')).toThrow('No space left on device');
  });
});

describe('paths', () => {
  it.each([
    ['/', 'a', '/a'],
    ['/a/b', '..', '/a'],
    ['/a', '/x//y/./z/..', '/x/y'],
    ['/a', '../../../..', '/'],
    ['/a', '.', '/a'],
  ])('from %s, %s is %s', (from, path, plain) => {
    expect(resolvePath(from, path)).toBe(plain);
  });
});
