import { describe, expect, it } from 'vitest';
import { routeOf } from './routes.ts';

const embedded = { identityProvider: true };
const whereTo = (target: string, method = 'GET'): string => {
  const route = routeOf(method, target, embedded);
  return route.kind === 'api' ? `${route.upstream} ${route.path}` : route.kind;
};

describe('the routing table', () => {
  it.each([
    ['/clustral.v1.AuditService/ListEvents', 'audit /clustral.v1.AuditService/ListEvents'],
    ['/clustral.v1.ClusterService/List', 'controlPlane /clustral.v1.ClusterService/List'],
    ['/api/v1/audit', 'audit /api/v1/audit'],
    ['/api/v1/audit/some-uid?x=1', 'audit /api/v1/audit/some-uid'],
    ['/api/v1/auditors', 'controlPlane /api/v1/auditors'],
    ['/api/v1/clusters', 'controlPlane /api/v1/clusters'],
    ['/audit-api/api/v1/audit', 'audit /api/v1/audit'],
    ['/audit-api/clustral.v1.AuditService/ListEvents', 'audit /clustral.v1.AuditService/ListEvents'],
    ['/audit-api/api/v1/clusters', 'lookalike'],
    ['/audit-api/healthz', 'lookalike'],
    ['/api/proxy/x/api', 'proxy'],
    ['/healthz', 'own'],
    ['/healthz/ready', 'own'],
    ['/gateway/healthz/ready', 'own'],
    ['/healthzfoo', 'web'],
    ['/internal/v1/refusals', 'hidden'],
    ['/realms/clustral/protocol/openid-connect/token', 'identityProvider'],
    ['/api/auth/callback?code=x', 'web'],
    ['/api/audit/events', 'web'],
    ['/app/rpc/clustral.v1.ClusterService/List', 'web'],
    ['/.well-known/clustral-configuration', 'web'],
    ['/', 'web'],
    ['/clusters/prod', 'web'],
  ])('sends %s to %s', (target, expected) => {
    expect(whereTo(target)).toBe(expected);
  });

  it('knows no identity provider unless one is embedded', () => {
    expect(routeOf('GET', '/realms/x', { identityProvider: false }).kind).toBe('web');
  });

  it.each([
    '/API/v1/clusters',
    '/api//v1/clusters',
    '/api/V1/x',
    '/%61pi/v1/clusters',
    '/api/v1',
    '/api/proxy',
    '/Clustral.v1.ClusterService/List',
    '/api%2fv1/clusters',
    '/audit-api',
    '/INTERNAL/v1/refusals',
    '/Api/Proxy/x',
  ])('takes %s for a protected path that does not exist, never for a page', (target) => {
    expect(whereTo(target)).toBe('lookalike');
  });

  it('lets anyone call exactly what the schema lets anyone call', () => {
    const isAnonymous = (method: string, target: string): boolean => {
      const route = routeOf(method, target, embedded);
      return route.kind === 'api' && route.anonymous;
    };
    expect(isAnonymous('GET', '/api/v1/version')).toBe(true);
    expect(isAnonymous('POST', '/clustral.v1.SystemService/GetVersion')).toBe(true);
    expect(isAnonymous('POST', '/api/v1/version')).toBe(false);
    expect(isAnonymous('GET', '/api/v1/version/')).toBe(false);
    expect(isAnonymous('GET', '/api/v1/clusters')).toBe(false);
  });

  it.each([
    '/api/v1/../internal/v1/x',
    '/api/v1/%2e%2e/x',
    '/api/v1/..%2fx',
    '/api/v1/..%5cx',
    '/api/v1/.;/x',
    '/a/./b',
    '/\\evil',
    '/a#b',
    '/api/v1/%00',
    '/x/%2E.',
  ])('refuses %s, which two readers could understand differently', (target) => {
    expect(() => routeOf('GET', target, embedded)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
  });

  it('leaves a doubly encoded dot segment alone: one decode shows none', () => {
    expect(whereTo('/api/v1/%252e%252e/x')).toBe('controlPlane /api/v1/%252e%252e/x');
  });
});
