/**
 * Stands between the control plane and the event store, and lets everything through but one thing: the first answer to an append
 * that holds a mark. That append is committed, its caller never hears of it, and the connection is cut (F-03, F-21).
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { MarkedAnswers } from './http2-streams.ts';

export type AnswerCutOptions = {
  /** Socket of its own, and the one of the event store. */
  readonly from: string;
  readonly to: string;
  readonly marks: readonly string[];
  /** Runs once for each mark, before anybody can notice that an answer is missing. */
  readonly onCommitted: (mark: string) => void;
};

/** Listens until it is closed. */
export async function startAnswerCut({ from, to, marks, onCommitted }: AnswerCutOptions): Promise<Server> {
  const waiting = new Set(marks);
  const server = createServer((client) => {
    const store = connect(to);
    const watch = new MarkedAnswers(marks);
    const pair = [client, store];
    const cut = (): void => pair.forEach((socket) => void socket.destroy());
    for (const socket of pair) socket.on('error', cut).on('close', cut);
    client.on('data', (bytes: Buffer) => {
      watch.received(bytes);
      forward(store, bytes);
    });
    store.on('data', (bytes: Buffer) => {
      const mark = watch.answered(bytes).find((one) => waiting.delete(one));
      if (mark === undefined) return forward(client, bytes);
      onCommitted(mark);
      cut();
    });
  });
  server.listen(from);
  await once(server, 'listening');
  return server;
}

function forward(to: Socket, bytes: Buffer): void {
  if (to.writable) to.write(bytes);
}
