/**
 * The connections of this process, those that leave included. It keeps the highest epoch that any control plane named: one with
 * a lower epoch was replaced, and its connections end (D18).
 */
import type { Connection } from './connection.ts';

export class Connections {
  readonly #all = new Set<Connection>();
  #epoch = -1n;
  #isStopped = false;

  add(connection: Connection): void {
    if (this.#isStopped) connection.destroy(new Error('the agent stops'));
    this.#all.add(connection);
    void connection.closed.then(() => this.#all.delete(connection));
  }

  /** True while at least one takes requests. */
  get isConnected(): boolean {
    for (const connection of this.#all) {
      if (connection.isUsable) return true;
    }
    return false;
  }

  /** False for an epoch that is over. Connections of lower epochs end when a newer one is seen. */
  isNewest(epoch: bigint): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    for (const connection of this.#all) {
      if (connection.epoch >= 0n && connection.epoch < epoch) {
        connection.destroy(new Error('the control plane was replaced by a newer one'));
      }
    }
    return true;
  }

  /** Shows the present token to the control plane, on each. */
  showToken(): void {
    for (const connection of this.#all) connection.showToken();
  }

  /** Each gets a successor, one after the other. Milliseconds. */
  replaceAll(apartMs: number): void {
    [...this.#all].forEach((connection, index) => connection.replace(index * apartMs));
  }

  /** To be called several times a second. */
  tick(now: number): void {
    for (const connection of this.#all) connection.tick(now);
  }

  /** Ends all, with what is under way. */
  destroy(): void {
    for (const connection of this.#all) connection.destroy(new Error('the identity of the agent does not count'));
  }

  /** Lets what is under way finish, not longer than the limit, and ends all; none that comes later stays. */
  async leave(limitMs: number): Promise<void> {
    this.#isStopped = true;
    const all = [...this.#all];
    for (const connection of all) connection.drain(limitMs);
    await Promise.all(all.map(({ closed }) => closed));
  }
}
