import { describe, expect, it } from 'vitest';
import { builtInDiscovery } from './discovery.ts';

type Listed = {
  resources: { name: string; singularName: string; shortNames?: string[]; namespaced: boolean; verbs: string[] }[];
};

const resourcesOf = (target: string): Listed['resources'] =>
  (JSON.parse(builtInDiscovery('GET', target) ?? '{}') as Listed).resources;

describe('discovery for a person without a role', () => {
  it('D20 answers the four addresses and the version, whatever the query', () => {
    for (const target of ['/api', '/apis', '/api/v1', '/apis/apps/v1', '/version', '/api?timeout=32s'])
      expect(builtInDiscovery('GET', target)).toBeTypeOf('string');
  });

  it.each([
    ['GET', '/openapi/v2'],
    ['GET', '/openapi/v3'],
    ['GET', '/api/v1/pods'],
    ['GET', '/api/'],
    ['GET', '/apis/apps'],
    ['GET', '/apis/example.com/v1'],
    ['GET', '/healthz'],
    ['GET', '//api'],
    ['HEAD', '/api'],
    ['POST', '/api'],
  ])('D20 does not answer %s %s', (method, target) => {
    expect(builtInDiscovery(method, target)).toBeUndefined();
  });

  it('knows the names that people type', () => {
    const core = resourcesOf('/api/v1');
    const short = Object.fromEntries(core.flatMap(({ name, shortNames = [] }) => shortNames.map((s) => [s, name])));
    expect(short).toMatchObject({ po: 'pods', ns: 'namespaces', cm: 'configmaps', svc: 'services', no: 'nodes' });
    expect(core.find(({ name }) => name === 'namespaces')?.namespaced).toBe(false);
    expect(core.find(({ name }) => name === 'bindings')?.verbs).toEqual(['create']);
    expect(resourcesOf('/apis/networking.k8s.io/v1').map(({ singularName }) => singularName)).toContain('ingress');
  });

  it('lists every group with its preferred version first, and answers for each version it lists', () => {
    const { groups } = JSON.parse(builtInDiscovery('GET', '/apis') ?? '{}') as {
      groups: { name: string; versions: { groupVersion: string }[]; preferredVersion: { version: string } }[];
    };
    expect(groups.find(({ name }) => name === 'autoscaling')?.preferredVersion.version).toBe('v2');
    for (const { groupVersion } of groups.flatMap(({ versions }) => versions))
      expect(
        resourcesOf(`/apis/${groupVersion}`).every(({ name, singularName }) => name !== '' && singularName !== ''),
      ).toBe(true);
  });
});
