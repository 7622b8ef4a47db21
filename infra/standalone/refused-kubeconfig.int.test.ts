import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusedStart } from '../e2e/parts/product.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('npm start with a kubeconfig that it cannot use', () => {
  it.each([
    ['that is not there', undefined, 'cannot be read (ENOENT)'],
    ['that is none', 'hello', 'is not a kubeconfig'],
    ['without a context', '{"clusters": []}', 'names no current-context'],
  ])('%s ends with a sentence and has made nothing', async (_, text, sentence) => {
    const file = join(folder, 'kubeconfig');
    rmSync(file, { force: true });
    if (text !== undefined) writeFileSync(file, text);
    const data = join(folder, 'data');
    const { code, stdout, stderr } = await refusedStart('--data', data, '--kubeconfig', file);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`The kubeconfig ${file} ${sentence}`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(data)).toBe(false);
  });
});
