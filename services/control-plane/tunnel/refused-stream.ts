/**
 * How a stream of :5443 is refused before any handler saw it: as a Connect error in the form that the caller's protocol reads, so
 * that an agent learns the code and not only a status. Nothing of what was asked is repeated.
 */
import type { ServerHttp2Stream } from 'node:http2';
import type { ConnectError } from '@connectrpc/connect';
import { codeToHttpStatus, endStreamToJson, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { envelopeBytes } from '@clustral/schemas/lane-codec.ts';

const endStreamFlag = 2;

/** Answers and closes the stream. Safe on one that is gone. */
export function refuseStream(stream: ServerHttp2Stream, contentType: string | undefined, error: ConnectError): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const format = /^application\/connect\+(proto|json)/.exec(contentType ?? '')?.[1];
  if (format !== undefined) {
    stream.respond({ ':status': 200, 'content-type': `application/connect+${format}` });
    stream.end(endOfStream(error));
  } else {
    stream.respond({ ':status': codeToHttpStatus(error.code), 'content-type': 'application/json' });
    stream.end(errorToJsonBytes(error, undefined));
  }
  // What is still being sent is not wanted; the answer goes out first.
  stream.once('finish', () => stream.close());
  stream.resume();
}

/** The envelope that ends a Connect stream, with an error or without. */
export function endOfStream(error?: ConnectError): Buffer {
  const json = Buffer.from(JSON.stringify(endStreamToJson(new Headers(), error, undefined)));
  const envelope = Buffer.alloc(envelopeBytes);
  envelope[0] = endStreamFlag;
  envelope.writeUInt32BE(json.length, 1);
  return Buffer.concat([envelope, json]);
}
