import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applied, claim, conflictsOf } from './apply.ts';
import { changedFields, difference, fieldsIn, shownPath, union } from './field-sets.ts';
import type { JsonObject, ManagedFields } from './objects.ts';

const object = {
  metadata: { name: 'd', labels: { app: 'web' } },
  spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'web:1' }] } } },
};

describe('sets of fields', () => {
  it('name list members by their key and leave out what the server sets', () => {
    expect(fieldsIn(object, 'Deployment')).toEqual({
      'f:metadata': { 'f:labels': { 'f:app': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:name': {}, 'f:image': {} } } },
        },
      },
    });
  });

  it('of what changed hold only that', () => {
    const after = { ...object, spec: { ...object.spec, replicas: 3 } };
    expect(changedFields(object, after, 'Deployment')).toEqual({ 'f:spec': { 'f:replicas': {} } });
  });

  it('obey the laws of sets', () => {
    const sets = fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), fc.constant('x'))
      .map((data) => fieldsIn({ data }, 'ConfigMap'));
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        expect(union(a, b)).toEqual(union(b, a));
        expect(difference(a, a)).toEqual({});
        expect(union(difference(a, b), b)).toEqual(union(a, b));
      }),
    );
  });

  it('are printed as Kubernetes prints them', () => {
    expect(shownPath(['f:spec', 'f:containers', 'k:{"name":"web"}', 'f:image'])).toBe(
      '.spec.containers[name="web"].image',
    );
  });
});

describe('applying', () => {
  it('removes a list member the manager no longer applies, defaults and all', () => {
    const live = { containers: [{ name: 'a' }, { name: 'b', terminationMessagePath: '/dev/termination-log' }] };
    const before = fieldsIn({ containers: [{ name: 'a' }, { name: 'b' }] }, 'PodSpec');
    const now = { containers: [{ name: 'a' }] };
    const dropped = difference(before, fieldsIn(now, 'PodSpec'));
    expect(applied(live, now, { type: 'PodSpec', dropped })).toEqual(now);
  });

  it('keeps list members of others', () => {
    const live = { containers: [{ name: 'a' }, { name: 'sidecar' }] };
    const result = applied(live, { containers: [{ name: 'a', image: 'a:2' }] }, { type: 'PodSpec', dropped: {} });
    expect(result).toEqual({ containers: [{ name: 'a', image: 'a:2' }, { name: 'sidecar' }] });
  });

  it('conflicts only where another manager wants another value', () => {
    const other = managed('other', { data: { a: '1', b: '1' } });
    const after = { data: { a: '2', b: '1' } };
    const conflicts = conflictsOf(fieldsIn(after, 'ConfigMap'), [other], {
      before: { data: { a: '1', b: '1' } },
      after,
    });
    expect(conflicts).toEqual([{ manager: 'other', path: ['f:data', 'f:a'] }]);
  });

  it('forgets managers that own nothing any more', () => {
    const other = managed('other', { data: { a: '1' } });
    const writer = { manager: 'me', operation: 'Apply', apiVersion: 'v1', time: 'now' } as const;
    const owned = fieldsIn({ data: { a: '2' } }, 'ConfigMap');
    const claims = claim([other], writer, { owned, taken: owned, gone: {} });
    expect(claims.map(({ manager }) => manager)).toEqual(['me']);
  });
});

function managed(manager: string, content: JsonObject): ManagedFields {
  const fieldsV1 = fieldsIn(content, 'ConfigMap');
  return { manager, operation: 'Update', apiVersion: 'v1', time: 'then', fieldsType: 'FieldsV1', fieldsV1 };
}
