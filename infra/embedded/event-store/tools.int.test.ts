import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable, Writable } from 'node:stream';
import { BACKWARDS, binaryEvent, END, jsonEvent } from '@eventstore/db-client';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog, type EventLog } from './event-log.ts';
import { append, everything } from './testing/changes.ts';
import { collect, counted, countedTo, numbers, openStage, type Stage } from './testing/official-client.ts';
import { run, Stores } from './testing/processes.ts';
import { backUp, restore } from './tools/backup.ts';
import { dump } from './tools/dump.ts';
import { load } from './tools/load.ts';
import { verify } from './tools/verify.ts';

const stores = new Stores();
let stage: Stage;
let data: string;

beforeEach(async () => {
  stage = await openStage();
  data = join(stage.folder, 'log');
});
afterEach(() => stage.stop());
afterAll(() => stores.remove());

const place = () => stores.newFolder();
const dumped = async (from: string) => {
  let text = '';
  const out = new Writable({ write: (chunk, _, done) => ((text += String(chunk)), done()) });
  return { said: await dump(from, out), text };
};
const loaded = (to: string, text: string) => load(to, Readable.from([text]));

function open(folder: string): EventLog {
  const fatal = (error: Error): never => {
    throw error;
  };
  return openEventLog({ folder, note: () => expect.unreachable(), fatal, now: Date.now });
}

describe('a backup', () => {
  it('of a running store, made by another process, holds all that was acknowledged before, and is restored as it was', async () => {
    let last = 0n;
    let writing = true;
    const writer = (async () => {
      while (writing) ({ nextExpectedRevision: last } = await stage.client.appendToStream('busy', countedTo(20)));
    })();
    await expect.poll(() => last, { timeout: 5_000 }).toBeGreaterThan(100n);
    const before = Number(last);
    const [to, restored] = [place(), place()];
    const { code, output, errors } = await run(['backup', '--data', data, '--to', to]);
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^backed up \d+ events up to position \d+ into /);
    writing = false;
    await writer;
    expect(readdirSync(to).toSorted()).toEqual(['log.db', 'log.head']);
    expect(await verify(to)).toContain('is sound');
    expect(await restore({ from: to, data: restored })).toContain('restored');
    const log = open(restored);
    expect(log.head).toBeGreaterThan(before);
    expect(everything(log)).toHaveLength(log.head);
    await log.close();
  });

  it('wants an empty place, and a restore a place without a log', async () => {
    await stage.client.appendToStream('s', counted(1));
    const [to, other] = [place(), place()];
    await backUp({ data, to });
    await expect(backUp({ data, to })).rejects.toThrow('is not empty');
    await expect(restore({ from: to, data })).rejects.toThrow('A store is running on');
    await stage.store.stop();
    await expect(restore({ from: to, data })).rejects.toThrow('holds a log already');
    await expect(backUp({ data: place(), to: other })).rejects.toThrow('There is no log in');
    expect(await backUp({ data, to: other })).toContain('backed up 1 events');
  });

  it('that is damaged is not restored', async () => {
    await stage.client.appendToStream('s', countedTo(50));
    const to = place();
    await backUp({ data, to });
    const database = new DatabaseSync(join(to, 'log.db'));
    database.exec(`UPDATE events SET data = CAST('{"n":0}' AS BLOB) WHERE pos = 26`);
    database.close();
    const damage = /The log is damaged: the event at position 26 .* at byte \d+ of .*log\.db/;
    await expect(restore({ from: to, data: place() })).rejects.toThrow(damage);
    await expect(verify(to)).rejects.toThrow(damage);
  });
});

describe('verifying', () => {
  it('says how much there is and how much was scavenged, also of a store that runs', async () => {
    await stage.client.appendToStream('s', countedTo(5));
    expect(await verify(data)).toContain('is sound: 5 events up to position 5, 0 scavenged');
    await stage.store.stop();
    const log = open(data);
    await append(log, '$$s', { data: ['{"$maxCount":2}'] });
    await log.scavenge();
    await log.close();
    expect(await verify(data)).toContain('is sound: 3 events up to position 6, 3 scavenged');
    await expect(verify(place())).rejects.toThrow('There is no log in');
  });
});

describe('a dump', () => {
  let target: Stage;
  beforeEach(async () => {
    target = await openStage();
  });
  afterEach(() => target.stop());

  const odd = () => [
    jsonEvent({ type: 'json', data: { big: 1e21, text: 'ü✓', list: [1, null] }, metadata: { by: 'me' } }),
    binaryEvent({ type: 'bytes', data: Buffer.from([0, 255, 10, 13]), metadata: Uint8Array.from([1, 250]) }),
    jsonEvent({ type: 'bare', data: 'only text' }),
  ];

  it('of a server or of its folder is the same, and loaded into another it is that log again', async () => {
    const { client } = stage;
    await client.appendToStream('one', odd());
    await client.appendToStream('two', countedTo(3));
    await client.appendToStream('one', countedTo(2), { expectedRevision: 2n });
    await client.setStreamMetadata('two', { maxCount: 5, acl: { readRoles: ['a'] } });
    await client.deleteStream('two');
    await client.appendToStream('two', counted(7));
    await client.tombstoneStream('three');
    await client.appendToStream('$settings', counted(8));
    const fromServer = await dumped(stage.connectionString);
    expect(fromServer).toEqual(await dumped(data));
    expect(fromServer.said).toBe('dumped 14 events');
    // Twice: the second run finds everything there.
    for (let time = 0; time < 2; time += 1) {
      expect(await loaded(target.connectionString, fromServer.text)).toBe(
        "loaded 13 events, left out 1 of the server's own streams",
      );
    }
    const again = await dumped(target.connectionString);
    expect(linesOf(again.text)).toEqual(linesOf(fromServer.text).filter(({ stream }) => stream !== '$settings'));
  });

  it('of what is left after scavenging is loaded with the revisions that the events had', async () => {
    await stage.client.appendToStream('beat', countedTo(1_200));
    await stage.client.setStreamMetadata('beat', { maxCount: 2 });
    await stage.client.setStreamMetadata('beat', { maxCount: 2, note: 'again' });
    await stage.store.stop();
    const log = open(data);
    expect(await log.scavenge()).toBe(1_199);
    await log.close();
    const { text } = await dumped(data);
    expect(linesOf(text).map(({ stream, revision }) => [stream, revision])).toEqual([
      ['beat', 1_198],
      ['beat', 1_199],
      ['$$beat', 1],
    ]);
    await loaded(target.connectionString, text);
    const events = await collect(target.client.readStream('beat', { direction: BACKWARDS, fromRevision: END }));
    expect(events.map(({ event }) => [event?.revision, event?.data])).toEqual([
      [1_199n, { n: 1_199 }],
      [1_198n, { n: 1_198 }],
    ]);
  });

  it('is not loaded over something else, and not when a line is none', async () => {
    await stage.client.appendToStream('one', counted(1));
    await stage.client.appendToStream('ended', counted(1));
    const { text } = await dumped(stage.connectionString);
    await target.client.appendToStream('one', counted(2));
    await expect(loaded(target.connectionString, text)).rejects.toThrow('holds another event at revision 0');
    await expect(loaded(target.connectionString, '{"position":1}\n')).rejects.toThrow('Line 1 is no event: stream');
    expect(await numbers(target.client.readStream('one'))).toEqual([2]);
    await target.client.tombstoneStream('ended');
    const [, ended = ''] = text.split('\n');
    await expect(loaded(target.connectionString, ended)).rejects.toThrow(
      'Stream ended was ended for good on the server',
    );
  });
});

/** Without positions and times, which are the server's; ids of what servers write by themselves differ, too. */
function linesOf(text: string): { stream: string; revision: unknown }[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const { position: _position, created: _created, id: _id, ...event } = JSON.parse(line) as Record<string, unknown>;
      return event as { stream: string; revision: unknown };
    });
}
