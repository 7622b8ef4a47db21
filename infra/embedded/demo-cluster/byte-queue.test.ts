import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokenPipe, ByteQueue, Interrupted } from './byte-queue.ts';

describe('a queue of bytes', () => {
  it('gives out what went in, in order, whatever the pieces and whoever is faster', async () => {
    const piece = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 0, max: 400 }), async (pieces, limit) => {
        const queue = new ByteQueue(limit);
        const writing = (async () => {
          for (const each of pieces) await queue.write(each);
          queue.end();
        })();
        const read: Buffer[] = [];
        for (let got = await queue.read(); got !== undefined; got = await queue.read()) read.push(got);
        await writing;
        expect(Buffer.concat(read).equals(Buffer.concat(pieces))).toBe(true);
      }),
    );
  });

  it('lets a writer wait while the reader is behind', async () => {
    const queue = new ByteQueue(300);
    await queue.write(Buffer.alloc(50));
    let written = false;
    const writing = queue.write(Buffer.alloc(100)).then(() => (written = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    await queue.read();
    await writing;
  });

  it('counts small pieces by what they cost', () => {
    const queue = new ByteQueue(10_000);
    let pushed = 0;
    while (queue.push(Buffer.from('x'))) pushed += 1;
    expect(pushed).toBeLessThan(100);
  });

  it('copies a small piece of a large buffer, so as not to keep it alive', async () => {
    const large = Buffer.alloc(64 * 1024, 'a');
    const queue = new ByteQueue(1);
    queue.push(large.subarray(0, 10));
    large.fill('b');
    expect((await queue.read())?.toString()).toBe('a'.repeat(10));
  });

  it('tells writers that the reader has left, and a reader that the writer has', async () => {
    const queue = new ByteQueue(1);
    const waiting = queue.write(Buffer.from('x'));
    queue.cancel();
    await expect(waiting).rejects.toThrow(BrokenPipe);
    await expect(queue.write(Buffer.from('y'))).rejects.toThrow(BrokenPipe);
    expect(await queue.read()).toBeUndefined();
  });

  it('loses nothing when a reader is told to stop waiting', async () => {
    const queue = new ByteQueue(100);
    const stop = new AbortController();
    const reading = queue.read(stop.signal);
    stop.abort();
    await expect(reading).rejects.toThrow(Interrupted);
    await expect(queue.read(stop.signal)).rejects.toThrow(Interrupted);
    queue.push(Buffer.from('kept'));
    expect((await queue.read())?.toString()).toBe('kept');
  });

  it('tells how many bytes left it, read or dropped', async () => {
    let left = 0;
    const queue = new ByteQueue(100, (bytes) => (left += bytes));
    queue.push(Buffer.from('abc'));
    queue.push(Buffer.from('de'));
    await queue.read();
    expect(left).toBe(3);
    queue.cancel();
    queue.push(Buffer.from('f'));
    expect(left).toBe(6);
    const ended = new ByteQueue(100, (bytes) => (left += bytes));
    ended.end();
    ended.push(Buffer.from('g'));
    expect(left).toBe(7);
  });
});
