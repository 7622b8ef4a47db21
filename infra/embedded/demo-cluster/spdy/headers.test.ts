import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerDictionary } from './dictionary.ts';
import { SpdyError } from './frames.ts';
import { decodeHeaders, encodeHeaders } from './header-block.ts';
import { HeaderCompressor, HeaderDecompressor } from './header-compression.ts';

const name = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const value = fc.string({ unit: 'binary-ascii', maxLength: 100 });
const headers = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((pairs) => new Map(pairs));

describe('the headers of a stream', () => {
  it('start from the dictionary of the draft, which zlib knows by its checksum', () => {
    let [low, high] = [1, 0];
    for (const byte of headerDictionary()) {
      low = (low + byte) % 65_521;
      high = (high + low) % 65_521;
    }
    expect((high * 65_536 + low).toString(16)).toBe('e3c6a7c2');
  });

  it('are read as they were written, one block after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(headers, { maxLength: 5 }), async (blocks) => {
        const [compressor, decompressor] = [new HeaderCompressor(), new HeaderDecompressor()];
        for (const block of blocks) {
          const wire = await compressor.compress(encodeHeaders(block));
          expect(decodeHeaders(await decompressor.decompress(wire))).toEqual(block);
        }
        compressor.close();
        decompressor.close();
      }),
      { numRuns: 30 },
    );
  });

  it('never take bytes that are none for more than a broken connection', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        try {
          decodeHeaders(Buffer.from(noise));
        } catch (error) {
          expect(error).toBeInstanceOf(SpdyError);
        }
      }),
    );
  });

  it.each([
    ['a name that is not lower case', new Map([['Port', '1']])],
    ['an empty name', new Map([['', '1']])],
  ])('refuse %s', (_, given) => {
    expect(() => decodeHeaders(encodeHeaders(given))).toThrow(SpdyError);
  });

  it('refuse a name that is there twice, a block that is cut off and one with a rest', () => {
    const one = encodeHeaders(new Map([['a', 'b']])).subarray(4);
    const count = (number: number): Buffer => Buffer.from([0, 0, 0, number]);
    expect(() => decodeHeaders(Buffer.concat([count(2), one, one]))).toThrow('twice');
    expect(() => decodeHeaders(Buffer.concat([count(2), one]))).toThrow('cut off');
    expect(() => decodeHeaders(Buffer.concat([count(1), one, count(0)]))).toThrow('more bytes');
  });

  it('refuse a small block that would become a large one', async () => {
    const [compressor, decompressor] = [new HeaderCompressor(), new HeaderDecompressor()];
    const bomb = await compressor.compress(Buffer.alloc(1_000_000));
    expect(bomb.length).toBeLessThan(16_000);
    await expect(decompressor.decompress(bomb)).rejects.toThrow('more than 16384 bytes');
    await expect(decompressor.decompress(bomb)).rejects.toThrow(SpdyError);
    compressor.close();
  });

  it('refuse what zlib cannot read', async () => {
    await expect(new HeaderDecompressor().decompress(Buffer.from('no zlib at all'))).rejects.toThrow(SpdyError);
  });
});
