/** Calls of `AccessService` over REST, for tests: one role, and a cluster of its own for whatever must not be in another's way. */
import { expect } from 'vitest';
import type { Answer, Person } from './installation.ts';
import { startInstallation, type RunningInstallation } from './running.ts';
import type { Environment } from '@clustral/kernel/config.ts';

export type KnownPerson = Person & { readonly id: string };

/** What a refusal over REST is like. */
export const refusal = (status: number, code: string, field?: string) => ({
  status,
  json: { code, ...(field === undefined ? {} : { field }) },
});

/** Headers with which a read includes what the answer before has written. */
export const after = ({ position = '0' }: Answer) => ({ headers: { 'x-clustral-position': position } });

const path = '/api/v1/access-requests';

/** Two administrators, two others, an auditor, a role and a cluster, on an installation of their own. */
export class AccessCalls {
  readonly installation: RunningInstallation;
  readonly roleId: string;
  readonly clusterId: string;
  readonly people: Readonly<Record<'ada' | 'ben' | 'alice' | 'bob' | 'audrey', KnownPerson>>;

  private constructor(installation: RunningInstallation, made: Pick<AccessCalls, 'roleId' | 'clusterId' | 'people'>) {
    this.installation = installation;
    this.roleId = made.roleId;
    this.clusterId = made.clusterId;
    this.people = made.people;
  }

  static async start(variables: Environment = {}): Promise<AccessCalls> {
    const installation = await startInstallation(variables);
    const people = {
      ada: await installation.newPerson('ada', ['clustral-admin']),
      ben: await installation.newPerson('ben', ['clustral-admin']),
      alice: await installation.newPerson('alice'),
      bob: await installation.newPerson('bob'),
      audrey: await installation.newPerson('audrey', ['clustral-auditor']),
    };
    const [roleId, clusterId] = [await installation.newRole(), await installation.newCluster()];
    return new AccessCalls(installation, { roleId, clusterId, people });
  }

  call(as: Person | undefined, line: string, options = {}): Promise<Answer> {
    return this.installation.client.call(as, line, options);
  }

  /** Asks for the role on the cluster, unless the body says otherwise. */
  ask(as: Person | undefined, body: object = {}, key?: string): Promise<Answer> {
    const { roleId, clusterId } = this;
    return this.call(as, `POST ${path}`, {
      body: { clusterId, roleId, reason: 'an incident', ...body },
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });
  }

  /** `what` is an id and a verb, as in `1234/approve`. */
  to(as: Person | undefined, what: string, body: object = {}): Promise<Answer> {
    return this.call(as, `POST ${path}/${what}`, { body });
  }

  /** One request; with what the answer before has written, when one is given. */
  get(as: Person | undefined, id: string, seen?: Answer): Promise<Answer> {
    return this.call(as, `GET ${path}/${id}`, seen ? after(seen) : {});
  }

  async list(as: Person, query: string, seen: Answer): Promise<readonly Readonly<Record<string, string>>[]> {
    const { json } = await this.call(as, `GET ${path}${query}`, after(seen));
    return json['requests'] as unknown as readonly Readonly<Record<string, string>>[];
  }

  /** The id of a pending request on a cluster of its own. */
  async pending(as: Person, body: object = {}): Promise<string> {
    const answer = await this.ask(as, { clusterId: await this.installation.newCluster(), ...body });
    expect(answer.status).toBe(201);
    return answer.json['id'] ?? '';
  }

  /** The id of a request that is granted, on a cluster of its own. */
  async granted(as: Person, body: object = {}): Promise<string> {
    const id = await this.pending(as, body);
    expect((await this.to(this.people.ada, `${id}/approve`)).status).toBe(200);
    return id;
  }
}
