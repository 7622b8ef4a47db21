import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import type { KubeObject } from './objects.ts';
import { storedResource } from './resources.ts';
import { Store } from './store.ts';

const resource = storedResource('ConfigMap');

describe('the store', () => {
  it('raises its revision by one with every change and stamps objects with it', () => {
    const store = empty();
    const made = store.create(resource, map('a'));
    const changed = store.replace(resource, { ...made, data: { x: 'y' } });
    const gone = store.remove({ resource, namespace: 'demo', name: 'a' });
    expect([made, changed, gone].map(({ metadata }) => metadata.resourceVersion)).toEqual(['2', '3', '4']);
  });

  it('gives a watch every later change, in order, from wherever it is', () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, from) => {
        const store = empty();
        for (const { name, remove } of steps) {
          const place = { resource, namespace: 'demo', name };
          const found = store.get(place);
          if (found === undefined) store.create(resource, map(name));
          else if (remove) store.remove(place);
          else store.replace(resource, found);
        }
        const start = Math.min(from + 1, store.revision);
        const seen: number[] = [];
        for (let at = start; ;) {
          const change = store.changeAfter(at);
          if (change === undefined || change === 'expired') break;
          at = change.revision;
          seen.push(at);
        }
        expect(seen).toEqual(Array.from({ length: store.revision - start }, (_, index) => start + 1 + index));
      }),
    );
  });

  it('forgets changes beyond its history and says so', () => {
    const store = empty();
    let object = store.create(resource, map('a'));
    for (let count = 0; count < 2 * limits.historyChanges; count += 1) object = store.replace(resource, object);
    expect(store.changeAfter(2)).toBe('expired');
    const oldest = store.oldestRevision();
    expect(store.revision - oldest).toBe(limits.historyChanges);
    expect(store.changeAfter(oldest)).toMatchObject({ revision: oldest + 1 });
  });

  it('refuses pods beyond its limit, and objects beyond their size', () => {
    const store = empty();
    const pods = storedResource('Pod');
    for (let count = 0; count < limits.pods; count += 1) store.create(pods, map(`p${count}`));
    expect(() => store.create(pods, map('one-more'))).toThrow(
      `pods "one-more" is forbidden: exceeded quota: demo-cluster`,
    );
    expect(() => store.create(resource, { ...map('big'), data: 'x'.repeat(limits.objectBytes) })).toThrow('too large');
    expect(store.get({ resource, namespace: 'demo', name: 'big' })).toBeUndefined();
  });

  it('lists in order of name and keeps namespaces apart', () => {
    const store = empty();
    for (const name of ['b', 'a', 'c']) store.create(resource, map(name));
    store.create(resource, { ...map('z'), metadata: { ...map('z').metadata, namespace: 'demo-2' } });
    expect(store.list(resource, 'demo').map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
  });
});

function empty(): Store {
  return new Store({ now: () => new Date(0), uid: () => 'uid', suffix: () => 'abcde' });
}

function map(name: string): KubeObject {
  const metadata = { name, namespace: 'demo', uid: '', resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}
