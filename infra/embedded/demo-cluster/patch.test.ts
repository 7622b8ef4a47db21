import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPatch, mergePatch, strategicMerge } from './patch.ts';

describe('a JSON merge patch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    ['a', { b: null, c: { d: null } }, { c: {} }],
  ])('of %j with %j gives %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('applied twice is as applied once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});

describe('a strategic merge patch', () => {
  const spec = {
    containers: [
      { name: 'a', image: 'a:1', env: [{ name: 'E', value: '1' }] },
      { name: 'b', image: 'b:1' },
    ],
  };

  it('joins containers by name and their variables too', () => {
    const patch = {
      containers: [
        { name: 'a', env: [{ name: 'F', value: '2' }] },
        { name: 'c', image: 'c:1' },
      ],
    };
    const merged = strategicMerge(spec, patch, 'PodSpec') as typeof spec;
    expect(merged.containers.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(merged.containers[0]).toEqual({
      name: 'a',
      image: 'a:1',
      env: [
        { name: 'E', value: '1' },
        { name: 'F', value: '2' },
      ],
    });
  });

  it('deletes a member, replaces a list and puts members in order when told so', () => {
    const drop = { containers: [{ name: 'a', $patch: 'delete' }] };
    const replace = { containers: [{ $patch: 'replace' }, { name: 'z', image: 'z' }] };
    const order = {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'a', image: 'a:2' }],
    };
    const names = (patch: object): unknown[] =>
      (strategicMerge(spec, patch as never, 'PodSpec') as typeof spec).containers.map(({ name }) => name);
    expect([names(drop), names(replace), names(order)]).toEqual([['b'], ['z'], ['b', 'a']]);
  });

  it('keeps only the fields it names as retained, and takes values out of plain lists', () => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } };
    const recreate = { $retainKeys: ['type'], type: 'Recreate' };
    expect(strategicMerge(strategy, recreate, 'DeploymentStrategy')).toEqual({ type: 'Recreate' });
    const metadata = { finalizers: ['a', 'b'] };
    const without = { '$deleteFromPrimitiveList/finalizers': ['a'] };
    expect(strategicMerge(metadata, without, 'ObjectMeta')).toEqual({ finalizers: ['b'] });
    expect(strategicMerge(metadata, { finalizers: ['c'] }, 'ObjectMeta')).toEqual({ finalizers: ['a', 'b', 'c'] });
  });

  it('refuses a list member without its key', () => {
    expect(() => strategicMerge(spec, { containers: [{ image: 'x' }] }, 'PodSpec')).toThrow('lacks its merge key name');
  });
});

describe('a JSON patch', () => {
  it.each([
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    [{ a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    [{ 'x/y': { 'm~n': 1 } }, [{ op: 'replace', path: '/x~1y/m~0n', value: 2 }], { 'x/y': { 'm~n': 2 } }],
    [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [{ a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
    [{ a: 1 }, [{ op: 'test', path: '/a', value: 1 }], { a: 1 }],
  ])('on %j: %j gives %j', (target, operations, result) => {
    expect(jsonPatch(target, operations)).toEqual(result);
  });

  it.each([
    [[{ op: 'test', path: '/a', value: 2 }], 'test of /a failed'],
    [[{ op: 'remove', path: '/none' }], 'there is nothing at /none'],
    [[{ op: 'add', path: '/list/9', value: 1 }], 'no place in the list'],
    [[{ op: 'add', path: 'a', value: 1 }], 'begins with a slash'],
    [[{ op: 'jump', path: '/a' }], "no operation 'jump'"],
    [{ op: 'add' }, 'is a list of operations'],
    [[{ op: 'add', path: '/__proto__', value: {} }], 'nothing can be set'],
  ])('%j is refused: %s', (operations, why) => {
    expect(() => jsonPatch({ a: 1, list: [] }, operations)).toThrow(why);
  });

  it('leaves the object it was given alone', () => {
    const target = { a: { b: 1 } };
    jsonPatch(target, [{ op: 'remove', path: '/a/b' }]);
    expect(target).toEqual({ a: { b: 1 } });
  });
});
