/** A client of exec, attach or port-forward, for tests: a head of bytes, then a stream whose two directions end by themselves. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export type StreamClient = {
  readonly socket: Socket;
  /** The answer's head, without the empty line. */
  readonly head: string;
  readonly status: number;
  /** Number of bytes, and the bytes, behind the head. */
  readonly bytes: number;
  readonly received: Buffer;
  /** The other side ended its direction in good order. */
  readonly ended: boolean;
  /** The connection is gone. */
  readonly closed: boolean;
};

/** Where a server is: a port of loopback, or one that speaks TLS. */
export type Place = number | { readonly port: number; readonly ca: string };

/** Sends the bytes (one char each) and resolves with the answer's head, or when the connection is gone. */
export async function openStream(place: Place, text: string): Promise<StreamClient> {
  const client = new Client(dial(place));
  client.socket.write(Buffer.from(text, 'latin1'));
  await client.begun;
  return client;
}

function dial(place: Place): Socket {
  const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connectTls({ ...place, host: '127.0.0.1' });
  socket.allowHalfOpen = true;
  return socket;
}

class Client implements StreamClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #begun = Promise.withResolvers<void>();
  head = '';
  bytes = 0;
  ended = false;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => {
      this.closed = true;
      this.#begun.resolve();
    });
  }

  get begun(): Promise<void> {
    return this.#begun.promise;
  }
  get status(): number {
    return Number(this.head.split(' ')[1] ?? 0);
  }
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.head !== '') return;
    const all = this.received;
    const cut = all.indexOf('\r\n\r\n');
    if (cut < 0) return;
    this.head = all.toString('latin1', 0, cut);
    const rest = all.subarray(cut + 4);
    this.#chunks.splice(0, this.#chunks.length, rest);
    this.bytes = rest.length;
    this.#begun.resolve();
  }
}

/** A digest to compare many bytes by. */
export const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Writes all of it as fast as it is taken. */
export function send(socket: Socket, bytes: Buffer, pieceBytes = 65_536): void {
  for (let at = 0; at < bytes.length; at += pieceBytes) socket.write(bytes.subarray(at, at + pieceBytes));
}
