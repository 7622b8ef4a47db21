import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer, newKey, parseKeys } from './sealed.ts';

const [old, current] = [randomBytes(32), randomBytes(32)];

describe('what was sealed', () => {
  it('opens for its purpose, and never looks the same twice', () => {
    const sealer = createSealer([current]);
    fc.assert(
      fc.property(fc.string(), fc.string(), (purpose, content) => {
        const [one, two] = [sealer.seal(purpose, content), sealer.seal(purpose, content)];
        expect(sealer.open(purpose, one)).toBe(content.toWellFormed());
        expect(one.equals(two)).toBe(false);
        expect(sealer.open(`${purpose}.`, one)).toBeUndefined();
      }),
    );
  });

  it('does not open when a byte of it was changed, or is missing', () => {
    const sealer = createSealer([current]);
    const sealed = sealer.seal('session a', 'tokens');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(sealer.open('session a', changed)).toBeUndefined();
      expect(sealer.open('session a', sealed.subarray(0, at))).toBeUndefined();
    }
  });

  it('opens after the key was replaced, as long as the old one is kept', () => {
    const sealed = createSealer([old]).seal('p', 'content');
    expect(createSealer([current, old]).open('p', sealed)).toBe('content');
    expect(createSealer([current]).open('p', sealed)).toBeUndefined();
    expect(createSealer([old]).open('p', createSealer([current, old]).seal('p', 'new'))).toBeUndefined();
  });
});

describe('a file of keys', () => {
  it('holds one or two of 32 bytes', () => {
    expect(parseKeys(newKey())).toHaveLength(1);
    expect(parseKeys(`${current.toString('base64')}\n\n${old.toString('base64')}\n`)).toEqual([current, old]);
  });

  it.each(['', 'secret', randomBytes(31).toString('base64'), `${newKey()}${newKey()}${newKey()}`])(
    'is refused with %j in it',
    (text) => {
      expect(() => parseKeys(text)).toThrow('one or two lines, each a key of 32 bytes in base64');
    },
  );
});
