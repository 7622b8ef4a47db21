/** Takes the one message of a call that sends one: no more and no fewer. */
import type { GrpcCall } from '../grpc/grpc-call.ts';
import { MalformedMessage } from '../grpc/wire-reader.ts';

export function receiveOne(call: GrpcCall, serve: (message: Buffer) => void): void {
  let received: Buffer | undefined;
  call.receive({
    message: (message) => {
      if (received !== undefined) throw new MalformedMessage('a second one where one is sent');
      received = message;
    },
    end: () => {
      if (received === undefined) throw new MalformedMessage('none where one is sent');
      serve(received);
    },
  });
}
