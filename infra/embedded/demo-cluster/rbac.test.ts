import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from './objects.ts';
import { authorize, refusalSentence, type RoleSource, type User } from './rbac.ts';

const viewer: User = { name: 'dev', groups: ['clustral:viewers'], extra: {} };

describe('rules', () => {
  const rules = [
    { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] },
    { verbs: ['*'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'] },
    { verbs: ['get'], apiGroups: ['apps'], resources: ['*/status'] },
    { verbs: ['get'], nonResourceURLs: ['/api/*', '/version'] },
  ];
  const source = bound(rules, { kind: 'Group', name: 'clustral:viewers' });

  it.each([
    ['get', { plural: 'pods' }, true],
    ['delete', { plural: 'pods' }, false],
    ['get', { plural: 'pods', subresource: 'log' }, true],
    ['get', { plural: 'pods', subresource: 'exec' }, false],
    ['get', { plural: 'pods', group: 'metrics.k8s.io' }, false],
    ['patch', { plural: 'deployments', group: 'apps', name: 'web' }, true],
    ['patch', { plural: 'deployments', group: 'apps', name: 'other' }, false],
    ['list', { plural: 'deployments', group: 'apps' }, false],
    ['get', { plural: 'replicasets', group: 'apps', subresource: 'status' }, true],
    ['get', { plural: 'replicasets', group: 'apps' }, false],
  ])('%s %j: %s', (verb, resource, allowed) => {
    const asked = { group: '', version: 'v1', namespace: 'demo', ...resource };
    expect(authorize(source, { user: viewer, verb, resource: asked }).allowed).toBe(allowed);
  });

  it.each([
    ['/api/v1', true],
    ['/api', false],
    ['/version', true],
    ['/versions', false],
  ])('get %s: %s', (path, allowed) => {
    expect(authorize(source, { user: viewer, verb: 'get', path }).allowed).toBe(allowed);
  });

  it('say by which binding they allow', () => {
    const resource = { group: '', version: 'v1', plural: 'pods' };
    expect(authorize(source, { user: viewer, verb: 'get', resource }).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to Group "clustral:viewers"',
    );
  });
});

describe('who is bound', () => {
  const anything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
  const asks = (user: User, subject: object, namespace?: string): boolean =>
    authorize(bound(anything, subject, namespace), {
      user,
      verb: 'get',
      resource: { group: '', version: 'v1', plural: 'pods', namespace: 'demo' },
    }).allowed;

  it('a user, a group or a service account, by exact name', () => {
    expect(asks(viewer, { kind: 'User', name: 'dev' })).toBe(true);
    expect(asks(viewer, { kind: 'User', name: 'Dev' })).toBe(false);
    expect(asks(viewer, { kind: 'User', name: 'clustral:viewers' })).toBe(false);
    const account: User = { name: 'system:serviceaccount:ci:robot', groups: [], extra: {} };
    expect(asks(account, { kind: 'ServiceAccount', name: 'robot', namespace: 'ci' })).toBe(true);
    expect(asks(account, { kind: 'ServiceAccount', name: 'robot', namespace: 'demo' })).toBe(false);
  });

  it('a role binding within its namespace only', () => {
    expect(asks(viewer, { kind: 'User', name: 'dev' }, 'demo')).toBe(true);
    expect(asks(viewer, { kind: 'User', name: 'dev' }, 'other')).toBe(false);
  });

  it('nobody, where nothing is bound, except the masters', () => {
    const none: RoleSource = { objects: () => [] };
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), fc.string(), (name, groups, verb) => {
        const resource = { group: '', version: 'v1', plural: 'pods' };
        const { allowed } = authorize(none, { user: { name, groups, extra: {} }, verb, resource });
        expect(allowed).toBe(groups.includes('system:masters'));
      }),
    );
    const masters = { name: 'x', groups: ['system:masters'], extra: {} };
    expect(authorize(none, { user: masters, verb: 'delete', path: '/' }).allowed).toBe(true);
  });
});

it('a refusal speaks as Kubernetes does', () => {
  const resource = { group: 'apps', version: 'v1', plural: 'deployments', subresource: 'scale', namespace: 'demo' };
  expect(refusalSentence({ user: viewer, verb: 'update', resource })).toBe(
    'User "dev" cannot update resource "deployments/scale" in API group "apps" in the namespace "demo"',
  );
});

function bound(rules: object[], subject: object, namespace?: string): RoleSource {
  const metadata = (name: string): KubeObject['metadata'] => ({
    name,
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
  });
  const role = { apiVersion: 'v1', kind: 'ClusterRole', metadata: metadata('r'), rules };
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
  const roleRef = { kind: 'ClusterRole', name: 'r' };
  const binding: KubeObject = { apiVersion: 'v1', kind, metadata: metadata('b'), roleRef, subjects: [subject] };
  return {
    objects: (wanted, within) => {
      if (wanted === 'ClusterRole') return [role];
      return wanted === kind && within === namespace ? [binding] : [];
    },
  };
}
