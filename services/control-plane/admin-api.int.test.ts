import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start as startProjections } from '@clustral/projections/main.ts';
import { controlPlaneServices, routesOf, type Route } from '@clustral/schemas/services.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { start } from './main.ts';
import { admin, alice, auditor, prepareInstallation, RestClient, type Person } from './testing/installation.ts';

const log = createLog('test', 'silent');
const folder = mkdtempSync(join(tmpdir(), 'admin-api-'));
let server: RunningEventStore;
let parts: readonly Running[] = [];
let client: RestClient;

beforeAll(async () => {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const { environment, gateway } = await prepareInstallation(join(folder, 'data'), server.connectionString);
  client = new RestClient(gateway);
  const projections = await startProjections(environment, log);
  const controlPlane = await start(environment, log);
  client.port = controlPlane.port;
  parts = [controlPlane, projections];
});

afterAll(async () => {
  for (const part of parts) await part.stop();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const routes = routesOf(controlPlaneServices);
const credential: Person = { sub: randomUUID(), credential_id: randomUUID(), cluster_id: randomUUID() };
const lineOf = ({ verb, path }: Route, id: string = randomUUID()) => `${verb} ${path.replaceAll(/\{\w+\}/g, id)}`;
const call = (person: Person | undefined, route: Route, id?: string) =>
  client.call(person, lineOf(route, id), route.verb === 'GET' || route.verb === 'DELETE' ? {} : { body: {} });

/** The rules of the schema at the internal port, where tokens are the gateway's. What a person meets is in `authorization-matrix`. */
describe.each(routes.map((route) => [`${route.verb} ${route.path}`, route] as const))('%s', (_line, route) => {
  if (route.callers !== 'anyone') {
    it('is closed to nobody in particular and to the token of a credential', async () => {
      expect(await call(undefined, route)).toMatchObject({ status: 401, json: { code: 'AUTHENTICATION_REQUIRED' } });
      expect((await call(credential, route)).status).toBe(401);
    });

    it('is closed to a token of the gateway itself', async () => {
      const headers = { 'x-internal-token': await client.token({ kind: 'service', sub: 'clustral-gateway' }) };
      expect((await client.call(undefined, lineOf(route), { headers })).status).toBe(401);
    });
  }

  if (route.callers === 'admin') {
    it('is closed to everybody but administrators', async () => {
      for (const person of [alice, auditor])
        expect(await call(person, route)).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } });
    });
  }

  if (route.callers === 'reader') {
    it('is open to auditors and closed to others', async () => {
      expect((await call(auditor, route)).status).toBe(200);
      expect((await call(alice, route)).status).toBe(403);
    });
  }

  it('is open to administrators', async () => {
    expect([401, 403]).not.toContain((await call(admin, route)).status);
  });
});

describe('what a person is asked for', () => {
  it.each([
    ['name', 'not of the allowed form', { name: 'Bad Name', k8sGroups: ['g'] }],
    ['k8sGroups', "Kubernetes' own", { name: 'ok', k8sGroups: ['system:nodes'] }],
    ['k8sGroups', 'padded with a blank', { name: 'ok', k8sGroups: [' padded'] }],
    ['k8sGroups', 'far too many', { name: 'ok', k8sGroups: Array.from({ length: 10_000 }, (_, n) => `g${n}`) }],
    ['description', 'far too long', { name: 'ok', k8sGroups: ['g'], description: 'x'.repeat(1_000_000) }],
  ])('is refused by its field %s when it is %s', async (field, _what, body) => {
    expect(await client.call(admin, 'POST /api/v1/roles', { body })).toMatchObject({
      status: 422,
      json: { code: 'VALIDATION_ERROR', field },
    });
  });

  it('is taken over Connect as over REST', async () => {
    const response = await fetch(`http://127.0.0.1:${client.port}/clustral.v1.RoleService/CreateRole`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-internal-token': await client.token(admin) },
      body: JSON.stringify({ name: 'from-connect', k8sGroups: ['system:masters'] }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-clustral-position')).toMatch(/^\d+$/);
    expect(await response.json()).toMatchObject({ k8sGroups: ['system:masters'] });
  });

  it('is answered with versions to anyone', async () => {
    expect((await client.call(undefined, 'GET /api/v1/version')).json).toEqual({
      version: '0.1.0',
      minimumCliVersion: '0.1.0',
    });
  });
});
