import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quoted } from './shell.ts';
import { visible } from './untrusted.ts';

it('a value is one word for a real shell, whatever somebody called their cluster', () => {
  const words = fc.sample(fc.string({ unit: 'binary', maxLength: 30 }), { numRuns: 100, seed: 7 });
  const script = words.map((word) => `printf '%s\\0' ${quoted(word)}`).join('\n');
  const printed = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0');
  expect(printed.slice(0, -1)).toEqual(words.map((word) => visible(word)));
});
