import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { WatchEvent, WatchTopic } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import type { UserId } from '@clustral/schemas/ids.ts';
import type { Viewer } from './change.ts';
import { parseWatch } from './watch.ts';
import { Watches, type Asked, type Stream, type WatchLimits } from './watches.ts';

const nameIn = (words: Readonly<Record<string, number>>, number: number): string | undefined =>
  Object.keys(words).find((word) => words[word] === number);

const alice = '11111111-1111-4111-8111-111111111111' as UserId;
const bob = '22222222-2222-4222-8222-222222222222' as UserId;
const admin: Viewer = {
  userId: '33333333-3333-4333-8333-333333333333' as UserId,
  isAdmin: true,
  readsAll: true,
  groups: [],
};
const viewer = (userId: UserId): Viewer => ({ userId, isAdmin: false, readsAll: false, groups: [] });
const everything: Asked = parseWatch({ topics: [], afterPosition: '' });
const after = (position: bigint): Asked => ({ ...everything, after: position });
const hour = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The policy fold as far as watching asks it, and the log's one writer. */
class World {
  position = 100n;
  isFresh = true;
  take: (fact: Recorded) => void = () => undefined;
  append: (stream: string) => void = () => undefined;
  readonly watches: Watches;

  constructor(limits: Partial<WatchLimits> = {}) {
    this.watches = new Watches({
      limits,
      now: () => new Date(),
      monotonic: () => performance.now(),
      appends: { listen: (listener) => void (this.append = listener) },
      policy: this.#policy(),
    });
  }

  #policy() {
    const position = (): bigint => this.position;
    return {
      get lastPosition() {
        return position();
      },
      openAccess: () => new Set<never>(),
      assertFresh: () => {
        if (!this.isFresh) throw new Refusal('STORE_UNAVAILABLE', 'not fresh');
      },
      onFact: (listener: (fact: Recorded) => void) => {
        this.take = listener;
        return () => void (this.take = () => undefined);
      },
    };
  }

  /** The fold takes a fact. */
  happens(type: string, data: object, stream: string): void {
    this.position += 1n;
    const metadata = { schemaVersion: 1, epoch: 1, actor: { kind: 'user', id: alice }, $correlationId: 'c' };
    const place = { id: 'x', stream, revision: 0, position: this.position, recordedAt: new Date() };
    this.take({ type, data, metadata, ...place } as Recorded);
  }

  roleDeleted(): void {
    this.happens('role.deleted', { roleId: 'r', name: 'r' }, 'role-r');
  }

  assigned(userId: UserId): void {
    const data = { userId, clusterId: 'c', assignmentId: 'a', roleId: 'r' };
    this.happens('user.role_assigned', data, `access-${userId}.c`);
  }

  open(who: Viewer, asked: Asked = everything, stream: Partial<Stream> = {}) {
    const usual = {
      expiresAt: new Date(Date.now() + hour),
      signal: new AbortController().signal,
      cut: () => undefined,
    };
    return this.watches.open(who, asked, { ...usual, ...stream })[Symbol.asyncIterator]();
  }
}

const said = async (stream: AsyncIterator<{ event: WatchEvent; position: bigint; topics: readonly WatchTopic[] }>) => {
  const { value } = (await stream.next()) as {
    value: { event: WatchEvent; position: bigint; topics: readonly WatchTopic[] };
  };
  return [nameIn(WatchEvent, value.event), value.position, ...value.topics.map((topic) => nameIn(WatchTopic, topic))];
};

/** The next message, while time passes. */
const saidIn = async (ms: number, stream: Parameters<typeof said>[0]) => {
  const next = said(stream);
  next.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(ms);
  return next;
};

describe('a stream', () => {
  it('begins, tells what changes and where that is, and beats when nothing does', async () => {
    const world = new World();
    const stream = world.open(viewer(alice));
    expect(await said(stream)).toEqual(['STARTED', 100n]);
    world.roleDeleted();
    expect(await saidIn(100, stream)).toEqual(['CHANGED', 101n, 'ROLES']);
    expect(await saidIn(15_000, stream)).toEqual(['HEARTBEAT', 101n]);
  });

  it('puts together what happened while nobody read, so that nothing piles up', async () => {
    const world = new World();
    const stream = world.open(viewer(alice));
    await said(stream);
    for (let count = 0; count < 50_000; count += 1) world.roleDeleted();
    world.assigned(alice);
    expect(await saidIn(100, stream)).toEqual(['CHANGED', 50_101n, 'ROLES', 'GRANTS']);
  });

  it('tells a plain person nothing of others, not even that there was something', async () => {
    const world = new World();
    const stream = world.open(viewer(alice));
    await said(stream);
    world.assigned(bob);
    expect(await saidIn(15_000, stream)).toEqual(['HEARTBEAT', 100n]);
  });

  it('tells whoever reads all, and of the audit too', async () => {
    const world = new World();
    const stream = world.open(admin);
    await said(stream);
    world.assigned(bob);
    expect(await saidIn(100, stream)).toEqual(['CHANGED', 101n, 'GRANTS', 'AUDIT']);
  });

  it('tells of the topics that were asked for only', async () => {
    const world = new World();
    const stream = world.open(admin, { topics: new Set([WatchTopic.ROLES]), after: undefined });
    await said(stream);
    world.assigned(bob);
    world.roleDeleted();
    expect(await saidIn(100, stream)).toEqual(['CHANGED', 102n, 'ROLES']);
  });

  it('tells of proxied requests as news for the audit, at most once a second', async () => {
    const world = new World();
    const [mine, theirs] = [world.open(admin), world.open(viewer(alice))];
    await Promise.all([said(mine), said(theirs)]);
    for (let count = 0; count < 1_000; count += 1) world.append('proxy-c-20261125');
    world.append('lease_heartbeat-control_plane');
    expect(await saidIn(999 + 101, mine)).toEqual(['CHANGED', 100n, 'AUDIT']);
    expect(await saidIn(15_000, theirs)).toEqual(['HEARTBEAT', 100n]);
  });
});

describe('a stream that is opened again', () => {
  it('tells first what was missed', async () => {
    const world = new World();
    world.assigned(bob);
    world.assigned(alice);
    const stream = world.open(viewer(alice), after(100n));
    expect(await said(stream)).toEqual(['STARTED', 100n]);
    expect(await saidIn(100, stream)).toEqual(['CHANGED', 102n, 'GRANTS']);
  });

  it('is told that everything may have changed when nobody remembers', async () => {
    const world = new World();
    expect(await said(world.open(viewer(alice), after(99n)))).toEqual(['RESET', 100n]);
    expect(await said(world.open(viewer(alice), after(5_000n)))).toEqual(['RESET', 100n]);
  });

  it('misses no news for the audit that came in between', async () => {
    const world = new World();
    world.append('proxy-c-20261125');
    const stream = world.open(admin, after(100n));
    expect(await said(stream)).toEqual(['STARTED', 100n]);
    expect(await saidIn(100, stream)).toEqual(['CHANGED', 100n, 'AUDIT']);
  });
});

describe('a stream ends', () => {
  const endOf = async (stream: AsyncIterator<unknown>, ms = 0) => {
    const ended = stream.next().then(
      () => 'went on',
      (refusal: Refusal) => refusal.code,
    );
    await vi.advanceTimersByTimeAsync(ms);
    return ended;
  };

  it('with the token that it was opened with', async () => {
    const stream = new World().open(viewer(alice), everything, { expiresAt: new Date(Date.now() + 5_000) });
    await said(stream);
    expect(await endOf(stream, 5_000)).toBe('INVALID_TOKEN');
  });

  it('at once when its person is disabled, and nobody else’s does', async () => {
    const world = new World();
    const [hers, his] = [world.open(viewer(alice)), world.open(viewer(bob))];
    await Promise.all([said(hers), said(his)]);
    world.happens('user.disabled', { userId: alice }, `user-${alice}`);
    expect(await endOf(hers)).toBe('FORBIDDEN');
    expect(await saidIn(15_000, his)).toEqual(['HEARTBEAT', 100n]);
  });

  it('when nobody can say any more who may see what', async () => {
    const world = new World();
    const stream = world.open(viewer(alice));
    await said(stream);
    world.isFresh = false;
    world.roleDeleted();
    expect(await endOf(stream)).toBe('STORE_UNAVAILABLE');
  });

  it('when it is not read: its connection is cut, and its place is free', async () => {
    const cut = vi.fn<() => void>();
    const gone = new AbortController();
    const world = new World({ perPerson: 1 });
    const stream = world.open(viewer(alice), everything, { cut: () => (cut(), gone.abort()), signal: gone.signal });
    await said(stream);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(cut).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(cut).toHaveBeenCalledOnce();
    expect(await said(world.open(viewer(alice)))).toEqual(['STARTED', 100n]);
    expect(await endOf(stream)).toBe('RATE_LIMITED');
  });

  it('with a word when the control plane does, which opens no more', async () => {
    const world = new World();
    const stream = world.open(viewer(alice));
    await said(stream);
    world.watches.stop();
    expect(await endOf(stream)).toBe('UPSTREAM_UNAVAILABLE');
    expect(() => world.open(viewer(bob))).toThrow(expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE' }));
  });

  it('without a word when its reader has gone, and its place is free', async () => {
    const world = new World({ perPerson: 1 });
    const gone = new AbortController();
    const stream = world.open(viewer(alice), everything, { signal: gone.signal });
    await said(stream);
    const next = stream.next();
    gone.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await said(world.open(viewer(alice)))).toEqual(['STARTED', 100n]);
  });
});

describe('how many streams there are', () => {
  const tooMany = expect.objectContaining({ code: 'RATE_LIMITED' });

  it('is limited for one person, and in all', () => {
    const world = new World({ perPerson: 2, total: 3 });
    world.open(viewer(alice));
    world.open(viewer(alice));
    expect(() => world.open(viewer(alice))).toThrow(tooMany);
    world.open(viewer(bob));
    expect(() => world.open(admin)).toThrow(tooMany);
  });
});

describe('what is asked for', () => {
  it('is everything when nothing is named', () => {
    expect(everything.topics.size).toBe(8);
  });

  it('is refused when there is no such topic or no such position', () => {
    const refused = (field: string) => expect.objectContaining({ code: 'VALIDATION_ERROR', field });
    expect(() => parseWatch({ topics: [99 as WatchTopic], afterPosition: '' })).toThrow(refused('topics'));
    expect(() => parseWatch({ topics: [0], afterPosition: '' })).toThrow(refused('topics'));
    expect(() => parseWatch({ topics: [], afterPosition: '-1' })).toThrow(refused('afterPosition'));
  });
});
