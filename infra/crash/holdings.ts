/**
 * What one writer has made and still has: it changes nobody else's things, so each answer follows from what it did before.
 * Also the commands whose things nobody has touched since: repeated much later, they must be answered as before.
 */
import type { Wish } from './client.ts';
import type { CommandRecord } from './history.ts';

export type Role = { readonly id: string; readonly name: string };
export type Cluster = { readonly id: string; readonly assignment: Assignment | undefined };
export type Assignment = { readonly id: string; readonly roleId: string };
export type Credential = { readonly id: string; readonly clusterId: string };

/** A finished command, and by id what its answer speaks of. */
export type Settled = { readonly wish: Wish; readonly record: CommandRecord; readonly about: readonly string[] };

const mostSettled = 60;

export class Holdings {
  readonly roles = new Map<string, Role>();
  readonly clusters = new Map<string, Cluster>();
  readonly credentials = new Map<string, Credential>();
  #settled: Settled[] = [];

  get settled(): readonly Settled[] {
    return this.#settled;
  }

  settle(settled: Settled): void {
    this.#settled.push(settled);
    if (this.#settled.length > mostSettled) this.#settled.shift();
  }

  /** These change, so answers that spoke of them may differ from now on. */
  touch(ids: readonly string[]): void {
    this.#settled = this.#settled.filter(({ about }) => !about.some((id) => ids.includes(id)));
  }

  /** The role is gone, and with it every assignment of it. */
  dropRole(id: string): void {
    this.roles.delete(id);
    for (const cluster of this.clusters.values()) {
      if (cluster.assignment?.roleId === id) this.clusters.set(cluster.id, { ...cluster, assignment: undefined });
    }
  }

  /** The cluster is gone, with its assignment and its credentials. */
  dropCluster(id: string): void {
    this.clusters.delete(id);
    for (const credential of this.credentials.values()) {
      if (credential.clusterId === id) this.credentials.delete(credential.id);
    }
  }
}
