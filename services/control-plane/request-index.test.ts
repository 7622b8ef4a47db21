import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import type { AccessFact } from '@clustral/schemas/events/access.ts';
import { evolveAccess, initialAccess, type KnownAccess } from './domain/access.ts';
import { clusterId, recorded, requested, userId } from './domain/fixtures.ts';
import { RequestIndex } from './request-index.ts';

/** The access of a person with this request pending, and with none. */
function access(id: string, person = 1): { readonly open: KnownAccess; readonly over: KnownAccess } {
  const fact = recorded(requested(id, { userId: userId(person) })) as Recorded<AccessFact>;
  const open = evolveAccess(initialAccess, fact) as KnownAccess;
  return { open, over: { ...open, pending: null } };
}

function end(index: RequestIndex, id: string): void {
  const { open, over } = access(id);
  index.take(undefined, open);
  index.take(open, over);
}

describe('the index of access requests', () => {
  it('forgets those that ended once ten thousand others have, and open ones never', () => {
    const index = new RequestIndex();
    const place = { userId: userId(), clusterId: clusterId() };
    index.take(undefined, access('open', 2).open);
    end(index, 'first');
    for (let n = 1; n < 10_000; n += 1) end(index, `other-${n}`);
    expect(index.place('first')).toEqual(place);
    end(index, 'last');
    expect(index.place('first')).toBeUndefined();
    expect([index.place('other-1'), index.place('last')]).toEqual([place, place]);
    expect(index.place('open')).toEqual({ ...place, userId: userId(2) });
    expect([...index.openPlaces()]).toEqual([{ ...place, userId: userId(2) }]);
  });

  it('keeps a request where it is when it becomes a grant', () => {
    const index = new RequestIndex();
    const { open } = access('r');
    index.take(undefined, open);
    const request = open.pending;
    const granted = { ...open, pending: null, grant: { accessRequestId: request?.accessRequestId } } as KnownAccess;
    index.take(open, granted);
    expect([...index.openPlaces()]).toHaveLength(1);
    expect(index.place('r')).toBeDefined();
  });
});
