import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crowd, type Place } from './crowd.ts';

const names = (crowd: Crowd<string>): string[] =>
  crowd
    .all()
    .map(({ member }) => member)
    .toSorted();

describe('a crowd', () => {
  it('holds whoever came and has not left, whatever the order of leaving', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 100 }), (steps) => {
        const crowd = new Crowd<string>();
        const present: Place<string>[] = [];
        steps.forEach((step, at) => {
          const leaving = step % 2 === 0 ? undefined : present[step % Math.max(1, present.length)];
          if (leaving === undefined) return void present.push(crowd.add(`m${at}`));
          present.splice(present.indexOf(leaving), 1);
          expect(crowd.remove(leaving)).toBe(true);
        });
        expect(names(crowd)).toEqual(present.map(({ member }) => member).toSorted());
        expect(crowd.size).toBe(present.length);
      }),
    );
  });

  it('lets a member leave once', () => {
    const crowd = new Crowd<string>();
    const place = crowd.add('a');
    crowd.add('b');
    expect([crowd.remove(place), crowd.remove(place)]).toEqual([true, false]);
    expect(names(crowd)).toEqual(['b']);
  });

  it('may be left while those who are chosen are gone through', () => {
    const crowd = new Crowd<string>();
    for (const name of ['a', 'bb', 'c', 'dd', 'e']) crowd.add(name);
    for (const place of crowd.those(({ length }) => length === 1)) crowd.remove(place);
    expect(names(crowd)).toEqual(['bb', 'dd']);
  });
});
