/**
 * What is to be said on a stream, in order, until it is closed. It holds little: a peer that does not listen loses its
 * connection instead of growing our memory.
 */
const mostMessages = 64;

export class Outbox<Message> implements AsyncIterable<Message> {
  readonly #messages: Message[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  /** False when the message was not taken: the outbox is full or closed. */
  push(message: Message): boolean {
    if (this.#closed || this.#messages.length >= mostMessages) return false;
    this.#messages.push(message);
    this.#wake();
    return true;
  }

  /** What was pushed is still delivered; then the iteration ends. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      const next = this.#messages.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.#closed) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
