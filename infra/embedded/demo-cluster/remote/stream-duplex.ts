/**
 * A SPDY stream as a Duplex of Node, for parts that take sockets.
 */
import { Duplex } from 'node:stream';
import { callbackify } from 'node:util';
import { ignoreLeaving } from '../byte-queue.ts';
import type { SpdyStream } from '../spdy/stream.ts';

/** Each end of one is the end of the other; destroying it resets the stream. */
export function duplexOf(stream: SpdyStream): Duplex {
  return new Duplex({
    read() {
      void pull(stream, this);
    },
    write(chunk: Buffer, _encoding, done) {
      callbackify(() => stream.write(chunk))(done);
    },
    final(done) {
      callbackify(() => stream.end())(done);
    },
    destroy(error, done) {
      callbackify(() => stream.reset().catch(ignoreLeaving))((failed) => done(error ?? failed));
    },
  });
}

async function pull(stream: SpdyStream, into: Duplex): Promise<void> {
  into.push((await stream.read()) ?? null);
}
