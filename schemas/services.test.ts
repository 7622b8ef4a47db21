import { describe, expect, it } from 'vitest';
import { adminServices, routesOf, streamsOf, type CallerRule } from './services.ts';

/** The authorization matrix (2.6) in the words of the rules, so that nobody changes it by the way. */
const matrix: Readonly<Record<CallerRule, readonly string[]>> = {
  anyone: ['GET /api/v1/openapi.json', 'GET /api/v1/version'],
  person: [
    'GET /api/v1/clusters',
    'GET /api/v1/clusters/{id}',
    'GET /api/v1/roles',
    'GET /api/v1/users/me',
    'POST /api/v1/auth/kubeconfig-credential',
  ],
  acting: ['POST /api/v1/access-requests'],
  owner: [
    'DELETE /api/v1/auth/credentials/{id}',
    'GET /api/v1/access-requests',
    'GET /api/v1/access-requests/{id}',
    'GET /api/v1/credentials',
    'GET /api/v1/users/{userId}/assignments',
    'POST /api/v1/access-requests/{id}/revoke',
    'POST /api/v1/auth/revoke-by-token',
  ],
  reviewer: ['POST /api/v1/access-requests/{id}/approve', 'POST /api/v1/access-requests/{id}/deny'],
  requester: ['POST /api/v1/access-requests/{id}/withdraw'],
  reader: ['GET /api/v1/audit', 'GET /api/v1/audit/{uid}', 'GET /api/v1/users'],
  admin: [
    'DELETE /api/v1/clusters/{id}',
    'DELETE /api/v1/roles/{id}',
    'DELETE /api/v1/users/{userId}/assignments/{assignmentId}',
    'PATCH /api/v1/clusters/{id}',
    'POST /api/v1/clusters',
    'POST /api/v1/clusters/{id}/bootstrap-token',
    'POST /api/v1/clusters/{id}/revoke',
    'POST /api/v1/roles',
    'POST /api/v1/users/{userId}/assignments',
    'POST /api/v1/users/{userId}/disable',
    'POST /api/v1/users/{userId}/enable',
    'PUT /api/v1/roles/{id}',
  ],
};

const routes = routesOf(adminServices);

describe('the table of methods', () => {
  it.each(Object.entries(matrix))('lets %s call what the matrix says, and nothing else', (rule, lines) => {
    const found = routes.filter(({ callers }) => callers === rule).map(({ verb, path }) => `${verb} ${path}`);
    expect(found.toSorted()).toEqual(lines);
  });

  it('has one stream, for whoever has signed in', () => {
    expect(streamsOf(adminServices).map(({ method, callers }) => [method.name, callers])).toEqual([
      ['Watch', 'person'],
    ]);
  });

  it('calls everything a command that changes something', () => {
    for (const { command, verb, method } of routes) expect(command, method.name).toBe(verb !== 'GET');
  });

  it('has each path and verb once', () => {
    const lines = routes.map(({ verb, path }) => `${verb} ${path}`);
    expect(new Set(lines).size).toBe(lines.length);
  });
});
