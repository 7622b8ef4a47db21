import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBootstrapTokens } from '@clustral/control-plane/bootstrap-tokens.ts';
import { startDeciding, type Deciding } from '@clustral/control-plane/deciding.ts';
import { userIdOf } from '@clustral/control-plane/person.ts';
import { plantSeed } from '@clustral/control-plane/seed.ts';
import { parseClusterId } from '@clustral/schemas/ids.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import { people } from '../embedded/identity-provider/people.ts';
import { prepareSeed, seededClusterId } from './seed.ts';

const issuer = 'https://localhost:8443/realms/clustral';
let folder: string;
let at: (name: string) => string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seed-'));
  at = (name) => join(folder, name);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const demoOnly = () => ({ issuer, bootstrapTokenFiles: { demo: at('demo.token') } });
const withLocal = () => ({ issuer, bootstrapTokenFiles: { demo: at('demo.token'), local: at('local.token') } });

describe('the seed of a data folder', () => {
  it('keeps its clusters, and gets the local one when it is asked for', () => {
    const first = prepareSeed(at('seed.json'), demoOnly());
    expect(first.clusters.map(({ name }) => name)).toEqual(['demo']);
    const second = prepareSeed(at('seed.json'), withLocal());
    expect(second.clusters.map(({ name }) => name)).toEqual(['demo', 'local']);
    expect(seededClusterId(second, 'demo')).toBe(seededClusterId(first, 'demo'));
    expect(prepareSeed(at('seed.json'), demoOnly())).toEqual(second);
    expect(prepareSeed(at('seed.json'), withLocal())).toEqual(second);
  });

  it('of before there could be two clusters is understood', () => {
    const cluster = {
      id: '0b9f1f8e-5d0a-4f0e-9d3b-1c2d3e4f5a6b',
      name: 'demo',
      description: '',
      bootstrapTokenFile: 'x',
    };
    const assignment = { issuer, subject: 's', role: 'k8s-admin' };
    writeFileSync(at('seed.json'), JSON.stringify({ roles: [], cluster, assignments: [assignment] }));
    const { clusters, assignments } = prepareSeed(at('seed.json'), withLocal());
    expect(clusters[0]).toEqual(cluster);
    expect(assignments[0]).toEqual({ ...assignment, cluster: 'demo' });
    expect(assignments[1]).toMatchObject({ cluster: 'local', role: 'k8s-admin' });
  });

  it('of another port, or a damaged one, is refused and left as it is', () => {
    prepareSeed(at('seed.json'), demoOnly());
    const before = readFileSync(at('seed.json'), 'utf8');
    const other = { ...withLocal(), issuer: 'https://localhost:9443/realms/clustral' };
    expect(() => prepareSeed(at('seed.json'), other)).toThrow('made for --port 8443');
    expect(readFileSync(at('seed.json'), 'utf8')).toBe(before);
    writeFileSync(at('seed.json'), '{');
    expect(() => prepareSeed(at('seed.json'), withLocal())).toThrow('is damaged');
  });

  it('puts the local cluster and its administrator into a log that has only the demo cluster, once', async () => {
    await withControlPlane(async ({ plant, policy }) => {
      const demo = prepareSeed(at('seed.json'), demoOnly());
      await plant();
      expect(policy.clusterByName('local')).toBeUndefined();
      expect(policy.cluster(parseClusterId(seededClusterId(demo, 'demo')))?.status).toBe('registered');
      const both = prepareSeed(at('seed.json'), withLocal());
      await plant();
      const localId = parseClusterId(seededClusterId(both, 'local'));
      expect(policy.clusterByName('local')).toMatchObject({ status: 'registered' });
      const token = readFileSync(at('local.token'), 'utf8');
      expect(token).not.toBe(readFileSync(at('demo.token'), 'utf8'));
      const admin = people.find(({ username }) => username === 'admin');
      expect(policy.access(userIdOf(issuer, admin?.subject ?? ''), localId)).toMatchObject({
        assignment: { assignedBy: { kind: 'service', id: 'seed' } },
      });
      await plant();
      expect(readFileSync(at('local.token'), 'utf8')).toBe(token);
      expect(existsSync(at('seed.json.new'))).toBe(false);
    });
  });
});

type World = Pick<Deciding, 'policy'> & { readonly plant: () => Promise<void> };

async function withControlPlane(use: (world: World) => Promise<void>): Promise<void> {
  const log = createLog('test', 'silent');
  const now = (): Date => new Date();
  const server = await startEventStore({ folder: at('log'), socketPath: at('es.sock') });
  const eventStore = connectEventStore({ connectionString: server.connectionString, log });
  const deciding = await startDeciding({ eventStore, holder: 'test', log, now, monotonic: () => performance.now() });
  const keys = randomBytes(32).toString('base64');
  const bootstrapTokens = createBootstrapTokens({ keys, caPin: 'x'.repeat(43), now, random: randomBytes });
  const { policy, commands } = deciding;
  await use({ policy, plant: () => plantSeed(at('seed.json'), { policy, commands, bootstrapTokens, now }) });
  await deciding.stop();
  await eventStore.close();
  await server.stop();
}
