/**
 * The real control plane with its log and its projections, for tests of the admin API: who calls over REST, what the log
 * then holds, what the audit shows.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditDocument } from '@clustral/projections/audit.ts';
import { auditEvents, type AuditFilters } from '@clustral/projections/audit/query.ts';
import { start as startProjections } from '@clustral/projections/main.ts';
import { openReadModels } from '@clustral/projections/read-models.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore } from '../../../infra/embedded/event-store/start.ts';
import { start } from '../main.ts';
import { userIdOf } from '../person.ts';
import { admin, issuer, prepareInstallation, RestClient, type Person } from './installation.ts';

export type RunningInstallation = {
  readonly client: RestClient;
  readonly eventStore: EventStore;
  newCluster(): Promise<string>;
  /** `review` = the rules by which requests for it are decided. */
  newRole(k8sGroups?: readonly string[], review?: object): Promise<string>;
  /** Signs somebody in for the first time. */
  newPerson(
    name: string,
    roles?: readonly string[],
    groups?: readonly string[],
  ): Promise<Person & { readonly id: string }>;
  facts(stream: string): Promise<readonly Recorded[]>;
  /** Rows of the audit, once it has everything that is in the log now. */
  audit(filters: AuditFilters): Promise<readonly AuditDocument[]>;
  /** Ends the control plane and starts it again on the same data; what is done while it is away comes in between. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
};

/** Starts everything, with these variables besides those of every installation. */
export async function startInstallation(variables: Environment = {}): Promise<RunningInstallation> {
  const folder = mkdtempSync(join(tmpdir(), 'cp-'));
  const log = createLog('test', process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const eventStore = connectEventStore({ connectionString: server.connectionString });
  const data = join(folder, 'data');
  const installation = await prepareInstallation(data, server.connectionString);
  const environment = { ...installation.environment, ...variables };
  const projections = await startProjections(environment, log);
  const models = await openReadModels({ folder: join(data, 'read-models') });
  const client = new RestClient(installation.gateway);
  let controlPlane = await start(environment, log);
  client.port = controlPlane.port;
  let names = 0;
  const made = async (path: string, body: object): Promise<Readonly<Record<string, string>>> => {
    const answer = await client.call(admin, `POST ${path}`, { body: { name: `thing-${(names += 1)}`, ...body } });
    if (answer.status !== 201) throw new Error(`${path} gave ${answer.status}: ${JSON.stringify(answer.json)}`);
    return answer.json;
  };
  return {
    client,
    eventStore,
    newCluster: async () => (await made('/api/v1/clusters', {}))['clusterId'] ?? '',
    newRole: async (k8sGroups = ['clustral:viewers'], review) =>
      (await made('/api/v1/roles', { k8sGroups, ...(review === undefined ? {} : { review }) }))['id'] ?? '',
    async newPerson(name, roles = [], groups = []) {
      const person = {
        sub: name,
        email: `${name}@corp.com`,
        email_verified: true,
        roles: [...roles],
        groups: [...groups],
      };
      await client.call(person, 'GET /api/v1/users/me');
      return { ...person, id: userIdOf(issuer, name) };
    },
    facts: async (stream) => (await eventStore.load(stream)).facts,
    async audit(filters) {
      const [newest] = await eventStore.readBackwards({ prefixes: ['access-', 'role-', 'cluster-'], limit: 1 });
      if (newest) await models.waitFor(newest.position, 5_000);
      return (await auditEvents(models, { filters, limit: 200 })).items;
    },
    async restart(meanwhile) {
      await controlPlane.stop();
      await meanwhile?.();
      controlPlane = await start(environment, log);
      client.port = controlPlane.port;
    },
    async stop() {
      await controlPlane.stop();
      models.close();
      await projections.stop();
      await eventStore.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
