import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { AccessDeniedError, EventStoreDBClient, START, type EventData } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFiles, type CertificateFiles } from './testing/certificates.ts';
import { collect, counted, countedTo, failure, numbers } from './testing/official-client.ts';
import { Stores, type RunningProcess } from './testing/processes.ts';

const stores = new Stores();
const password = 'grüße: ein Paßwort';
let files: CertificateFiles;

beforeAll(async () => {
  files = await certificateFiles(stores.base);
});
afterAll(async () => {
  await stores.end();
  stores.remove();
});

const start = (args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) =>
  stores.start({ data: stores.newFolder(), args, environment });
const withTls = () => start(['--tls-cert', files.cert, '--tls-key', files.key], { EVENT_STORE_PASSWORD: password });
const secure = ({ address }: RunningProcess, user = `admin:${encodeURIComponent(password)}@`) =>
  `esdb://${user}${address.replace('127.0.0.1', 'localhost')}?tls=true&tlsCAFile=${files.ca}`;

describe('the event store as a process of its own', () => {
  it('says where it listens, serves, and ends cleanly at SIGTERM although somebody follows it', async () => {
    const store = await start();
    expect(store.lines.at(-1)).toMatch(/^listening 127\.0\.0\.1:\d+$/);
    const client = EventStoreDBClient.connectionString(`esdb://${store.address}?tls=false`);
    await client.appendToStream('kept', countedTo(3));
    const subscription = client.subscribeToAll();
    const ended = failure(collect(subscription));
    await expect.poll(() => numbers(client.readStream('kept'))).toEqual([0, 1, 2]);
    store.child.kill('SIGTERM');
    expect(await store.ended).toBe(0);
    expect(await ended).toMatchObject({ type: 'unavailable' });
    expect(store.errors()).toBe('');
    await client.dispose();
  });

  it('is found by discovery, under the address that was asked', async () => {
    const store = await start();
    const client = EventStoreDBClient.connectionString(
      `esdb+discover://${store.address}?tls=false&nodePreference=leader`,
    );
    expect(await client.appendToStream('discovered', counted(1), { requiresLeader: true })).toMatchObject({
      success: true,
    });
    expect(await numbers(client.readStream('discovered'))).toEqual([1]);
    const named = EventStoreDBClient.connectionString(
      `esdb+discover://localhost:${store.address.split(':')[1]}?tls=false&nodePreference=follower`,
    );
    expect(await numbers(named.readStream('discovered', { requiresLeader: false }))).toEqual([1]);
    await client.dispose();
    await named.dispose();
  });

  it('takes as much in one append as it was told to', async () => {
    const store = await start(['--max-append-bytes', '2000']);
    const client = EventStoreDBClient.connectionString(`esdb://${store.address}?tls=false`);
    const data: EventData = { ...counted(1), data: 'x'.repeat(1_500) };
    expect(await client.appendToStream('fits', data)).toMatchObject({ success: true });
    await expect(client.appendToStream('not', [data, { ...data, id: randomUUID() }])).rejects.toMatchObject({
      maxAppendSize: 2_000,
    });
    await client.dispose();
  });

  it('shows its numbers to Prometheus on the same machine', async () => {
    const store = await start(['--metrics', '127.0.0.1:0']);
    const client = EventStoreDBClient.connectionString(`esdb://${store.address}?tls=false`);
    await client.appendToStream('measured', countedTo(3));
    const subscription = client.subscribeToAll({ fromPosition: START });
    await new Promise((resolve) => subscription.once('caughtUp', () => resolve(0)));
    const [, url = ''] = /metrics on (\S+)/.exec(store.lines.join('\n')) ?? [];
    const text = await (await fetch(url)).text();
    for (const line of [
      'head_position 3',
      'subscriptions 1',
      'events_appended_total 3',
      'changes_total{outcome="done"} 1',
      'commit_seconds_count 1',
    ]) {
      expect(text).toContain(`\nclustral_event_store_${line}\n`);
    }
    expect(
      text
        .split('\n')
        .filter((line) => line !== '' && !/^(?:# (?:HELP|TYPE) \w+ |\w+(?:\{\w+="[\w.+]+"\})? [\d.e-]+$)/.test(line)),
    ).toEqual([]);
    expect((await fetch(url.replace('metrics', 'other'))).status).toBe(404);
    await client.dispose();
  });
});

describe('the event store with TLS', () => {
  let store: RunningProcess;
  beforeAll(async () => {
    store = await withTls();
  });

  it('takes the user admin with his password, for every kind of call', async () => {
    const client = EventStoreDBClient.connectionString(secure(store));
    await client.appendToStream('batch', counted(1));
    await client.appendToStream('plain', counted(1), { credentials: { username: 'admin', password } });
    await client.setStreamMetadata('plain', { maxCount: 1 });
    await client.deleteStream('batch');
    expect(await numbers(client.readStream('plain'))).toEqual([1]);
    const discovering = EventStoreDBClient.connectionString(secure(store).replace('esdb:', 'esdb+discover:'));
    expect(await numbers(discovering.readStream('plain'))).toEqual([1]);
    await client.dispose();
    await discovering.dispose();
  });

  it.each([
    ['nobody', ''],
    ['another password', 'admin:changeit@'],
    ['another user', `ops:${encodeURIComponent(password)}@`],
    ['a password in other letters', `admin:${encodeURIComponent(password.toUpperCase())}@`],
  ])('refuses %s every call but the discovery', async (_, user) => {
    const client = EventStoreDBClient.connectionString(secure(store, user));
    for (const call of [
      () => client.appendToStream('x', counted(1)),
      () => client.appendToStream('x', counted(1), { credentials: { username: 'admin', password: 'wrong' } }),
      () => collect(client.readAll()),
      () => collect(client.readStream('x')),
      () => collect(client.subscribeToAll()),
      () => client.deleteStream('x'),
      () => client.tombstoneStream('x'),
    ]) {
      const error = await failure(call());
      // After some wrong passwords the connection ends.
      if ((error as { type?: string }).type !== 'unavailable') expect(error).toBeInstanceOf(AccessDeniedError);
    }
    const admin = EventStoreDBClient.connectionString(secure(store));
    expect((await collect(admin.readAll())).map(({ event }) => event?.streamId)).not.toContain('x');
    await client.dispose();
    await admin.dispose();
  });

  it('speaks to nobody who does not speak TLS, and lives on', async () => {
    const [host, port] = store.address.split(':');
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined).resume();
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    const client = EventStoreDBClient.connectionString(secure(store));
    expect(await client.appendToStream('after', counted(1))).toMatchObject({ success: true });
    await client.dispose();
  });

  it('takes the password from a file', async () => {
    const file = join(stores.base, 'password');
    writeFileSync(file, `${password}\n`);
    const other = await start(['--tls-cert', files.cert, '--tls-key', files.key], { EVENT_STORE_PASSWORD_FILE: file });
    const client = EventStoreDBClient.connectionString(secure(other));
    expect(await client.appendToStream('file', counted(1))).toMatchObject({ success: true });
    await client.dispose();
  });
});
