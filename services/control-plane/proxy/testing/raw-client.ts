/** Raw HTTP/1.1 over a socket, for tests whose rows are bytes. */
import { connect, type Socket } from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
  /** All bytes received, as latin1. */
  readonly text: string;
  /** True when the peer ended the connection in good order. */
  readonly ended: boolean;
};

/** Sends the text (one char per byte) and reads until the peer closes, which the head must ask for. */
export async function sendRaw(port: number, text: string): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => (ended = true));
  socket.write(Buffer.from(text, 'latin1'));
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
  return parsed(Buffer.concat(chunks).toString('latin1'), ended);
}

/** A connection that is left open; `received` grows as bytes come. */
export type OpenRaw = { readonly socket: Socket; received: string; closed: boolean };

/** Sends the text and leaves the connection to the test. */
export function openRaw(port: number, text: string): OpenRaw {
  const socket = connect(port, '127.0.0.1');
  const open: OpenRaw = { socket, received: '', closed: false };
  socket.on('data', (chunk) => (open.received += chunk.toString('latin1')));
  socket.on('error', () => (open.closed = true));
  socket.on('close', () => (open.closed = true));
  socket.on('end', () => (open.closed = true));
  socket.write(Buffer.from(text, 'latin1'));
  return open;
}

function parsed(text: string, ended: boolean): RawAnswer {
  const cut = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, cut < 0 ? text.length : cut).split('\r\n');
  const headers = new Map<string, string[]>();
  for (const header of lines) {
    const at = header.indexOf(':');
    const name = header.slice(0, at).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), header.slice(at + 1).trim()]);
  }
  const body = cut < 0 ? '' : text.slice(cut + 4);
  return { status: Number(line.split(' ')[1] ?? 0), headers, body, text, ended };
}
