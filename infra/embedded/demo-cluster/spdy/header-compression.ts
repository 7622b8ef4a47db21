/**
 * Compression of header blocks: one zlib stream per direction and connection, flushed after every block (SPDY
 * protocol, draft 3.1, section 2.6.10.1). What a block says depends on all before it, so blocks must be given in the
 * order of their frames and one at a time.
 *
 * It refuses blocks that grow over a limit, before they have grown.
 */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';
import { SpdyError } from './frames.ts';

/** Headers of one stream after decompression; kubectl's have about a hundred bytes. */
const headerBytes = 16 * 1024;

/** Makes compressed blocks. */
export class HeaderCompressor {
  // A window of 2 KB is enough for the dictionary; zlib's usual 256 KB would be held for every connection.
  readonly #zlib = guarded(createDeflate({ dictionary: headerDictionary(), windowBits: 11, memLevel: 1 }));

  async compress(block: Buffer): Promise<Buffer> {
    return pass(this.#zlib, block, Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#zlib.destroy();
  }
}

/** Reads compressed blocks. */
export class HeaderDecompressor {
  readonly #zlib = guarded(createInflate({ dictionary: headerDictionary() }));

  /** @throws SpdyError for what is no block, or one that is too large; no other block can be read then */
  async decompress(block: Buffer): Promise<Buffer> {
    return pass(this.#zlib, block, headerBytes);
  }

  close(): void {
    this.#zlib.destroy();
  }
}

/** A failure is told by the stream's end as well; without this listener it would end the process. */
function guarded<Z extends Deflate | Inflate>(zlib: Z): Z {
  zlib.on('error', () => undefined);
  return zlib;
}

function pass(zlib: Deflate | Inflate, block: Buffer, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let bytes = 0;
    const collect = (chunk: Buffer): void => {
      out.push(chunk);
      bytes += chunk.length;
      if (bytes > limit) zlib.destroy();
    };
    const closed = (): void =>
      reject(
        new SpdyError(bytes > limit ? `headers of more than ${limit} bytes` : 'a header block that cannot be read'),
      );
    if (zlib.destroyed) return closed();
    zlib.on('data', collect);
    zlib.once('close', closed);
    zlib.write(block);
    zlib.flush(constants.Z_SYNC_FLUSH, () => {
      if (zlib.destroyed) return;
      zlib.removeListener('data', collect);
      zlib.removeListener('close', closed);
      resolve(Buffer.concat(out));
    });
  });
}
