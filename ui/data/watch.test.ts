import { create } from '@bufbuild/protobuf';
import { createRouterTransport } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import {
  SystemService,
  WatchEvent,
  WatchResponseSchema,
  WatchTopic,
} from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { servicesChangedBy } from './changes.ts';
import type { News } from './live.ts';
import { createPosition } from './position.ts';
import { newsOf, watchOf } from './watch.ts';

const { STARTED, CHANGED, HEARTBEAT, RESET } = WatchEvent;

describe('a word of the server', () => {
  it.each([
    ['a heartbeat', { event: HEARTBEAT, topics: [] }, []],
    ['the beginning', { event: STARTED, topics: [] }, ['started']],
    ['a change', { event: CHANGED, topics: [WatchTopic.GRANTS, WatchTopic.AUDIT] }, ['access', 'audit']],
    ['a kind of a newer server', { event: CHANGED, topics: [99 as WatchTopic] }, ['everything']],
    ['a gap', { event: RESET, topics: [] }, ['everything']],
  ])('that is %s is taken as such', (_name, message, kinds) => {
    expect(newsOf(message).kinds).toEqual(kinds);
  });

  it('reaches the questions whose answers it makes old', () => {
    expect(servicesChangedBy(['agents'])).toEqual(new Set(['clustral.v1.ClusterService']));
    expect(servicesChangedBy(['access', 'audit'])).toEqual(
      new Set(['clustral.v1.AccessService', 'clustral.v1.UserService']),
    );
    expect(servicesChangedBy([])).toEqual(new Set());
  });
});

describe('the stream', () => {
  it('goes on after a break from the last word, and questions carry its position', async () => {
    const asked: string[] = [];
    const transport = createRouterTransport(({ service }) => {
      service(SystemService, {
        async *watch({ afterPosition }) {
          asked.push(afterPosition);
          yield create(WatchResponseSchema, { event: STARTED, position: afterPosition || '41' });
          yield create(WatchResponseSchema, { event: CHANGED, position: '42', topics: [WatchTopic.ROLES] });
        },
      });
    });
    const position = createPosition();
    const watch = watchOf(transport, position);
    const heard: News[] = [];
    for (let round = 0; round < 2; round += 1) {
      for await (const news of watch(new AbortController().signal)) heard.push(news);
    }
    expect(asked).toEqual(['', '42']);
    expect(position.highest()).toBe('42');
    expect(heard.map(({ kinds }) => kinds)).toEqual([['started'], ['roles'], ['started'], ['roles']]);
  });
});
