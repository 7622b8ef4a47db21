import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterPath, nameOf } from './paths.ts';

describe('the address of a thing with a name', () => {
  it('is one segment whatever the name, and gives the name back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (name) => {
        const [, , segment = '', ...more] = new URL(`https://host${clusterPath(name)}`).pathname.split('/');
        expect(more).toEqual([]);
        // A browser walks up for a segment of dots alone, encoded or not: no such name exists (they begin with a letter or digit).
        if (!/^\.{1,2}$/.test(name)) expect(nameOf(segment)).toBe(name);
      }),
    );
  });

  it('that is no encoding stands for itself', () => {
    expect(nameOf('50%')).toBe('50%');
  });
});
