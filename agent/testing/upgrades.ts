/** Requests to leave HTTP as the API server for tests ("REC") sees them: what came, byte by byte, and what a test answers. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export class RecordedUpgrade {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value, as on the wire. */
  readonly headers: readonly string[];
  readonly socket: TLSSocket;
  readonly #raw: Socket | undefined;
  readonly #received: Buffer[] = [];
  /** How many bytes came behind the head. */
  bytes = 0;
  ended = false;
  #closed = false;

  /** `raw` is the connection below TLS. */
  constructor(
    request: IncomingMessage,
    socket: TLSSocket,
    rest: { readonly head: Buffer; readonly raw: Socket | undefined },
  ) {
    this.method = request.method ?? '';
    this.target = request.url ?? '';
    this.headers = request.rawHeaders;
    this.socket = socket;
    this.#raw = rest.raw;
    socket.on('close', () => (this.#closed = true));
    if (rest.head.length > 0) socket.unshift(rest.head);
  }

  /** True when the agent has left: this end of the connection closes only when it is told to. */
  get left(): boolean {
    return this.ended || this.#closed;
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Takes in what comes from now on. */
  read(): this {
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.#received.push(chunk);
    });
    this.socket.on('end', () => (this.ended = true));
    return this;
  }

  /** Writes the head of an answer; a 101 names the protocol that was asked for. */
  answer(status: number, headers: readonly string[] = [], body = ''): this {
    const lines = status === 101 && headers.length === 0 ? this.#switching() : headers;
    this.socket.write(`HTTP/1.1 ${status} x\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`);
    return this;
  }

  /** Answers 101 and sends everything back, the end too. */
  echo(): void {
    this.answer(101).read();
    this.socket.pipe(this.socket);
  }

  /** Ends the connection as a crash of the machine would: by a reset. */
  reset(): void {
    this.#raw?.resetAndDestroy();
  }

  #switching(): readonly string[] {
    const at = this.headers.findIndex((line, index) => index % 2 === 0 && line.toLowerCase() === 'upgrade');
    return ['Connection: Upgrade', `Upgrade: ${this.headers[at + 1]}`];
  }
}
