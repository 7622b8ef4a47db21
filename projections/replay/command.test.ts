import { describe, expect, it } from 'vitest';
import { parseReplay, reportLines } from './command.ts';
import { clusterCollection } from '../clusters.ts';

describe('the words of a replay', () => {
  it.each<[string, readonly string[], unknown]>([
    ['verify', ['verify'], { action: 'verify', compared: [] }],
    ['one model', ['rebuild', 'clusters'], { action: 'rebuild', compared: ['clusters'] }],
    ['all', ['rebuild', '--all'], { action: 'rebuild', compared: [] }],
    ['rebuild without saying what', ['rebuild'], undefined],
    ['a model that does not exist', ['verify', 'pods'], undefined],
    ['another word', ['drop'], undefined],
    ['no word', [], undefined],
  ])('understands %s', (_, words, meaning) => {
    expect(parseReplay(words)).toEqual(meaning);
  });
});

describe('the report of a replay', () => {
  it('has a line for each collection, the first differences by name, and says how many there are', () => {
    const differences = Array.from({ length: 25 }, (_, at) => ({
      collection: clusterCollection,
      id: `c${at}`,
      kind: 'changed' as const,
      fields: ['name'],
    }));
    const collections = [{ model: 'clusters', name: 'clusters', documents: 30, differences: 25 }];
    const days = { closed: 0, proven: 0, deleted: 0, problems: [] };
    const lines = reportLines({ position: 7n, facts: 40, collections, differences, days }, 1_234);
    expect(lines.slice(0, 3)).toEqual([
      '40 facts up to position 7 in 1.2 s',
      '  clusters  30 documents, 25 different',
      '  changed: clusters c0 (name)',
    ]);
    expect(lines.slice(-2)).toEqual(['  and 5 more', '25 differences between the read models and the log']);
  });

  it('says how closed days stand, and names those that are not as they were', () => {
    const days = {
      closed: 9,
      proven: 5,
      deleted: 3,
      problems: [{ stream: 'proxy-c-20261124', kind: 'added' as const }],
    };
    const collections = [{ model: 'clusters', name: 'clusters', documents: 1, differences: 0 }];
    const lines = reportLines({ position: 7n, facts: 40, collections, differences: [], days }, 1);
    expect(lines).toContain('9 closed days of proxied requests: 5 as they were closed, 3 deleted, 1 not as they were');
    expect(lines).toContain('  records came after the day was closed: proxy-c-20261124');
  });
});
