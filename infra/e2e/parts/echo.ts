/** Sending bytes to a service that gives them back, by TCP alone or as the body of an HTTP request. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { fetch } from 'undici';

/** As much comes back as was sent: nothing in between says that the sender has ended. */
export async function echoedByTcp(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  let length = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes.length) socket.destroy();
  });
  await once(socket, 'connect');
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

export async function echoedByHttp(port: number, bytes: Buffer): Promise<Buffer> {
  const answer = await fetch(`http://127.0.0.1:${port}/echo`, { method: 'POST', body: bytes });
  return Buffer.from(await answer.arrayBuffer());
}
