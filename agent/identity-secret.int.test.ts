import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from './identity.ts';
import { IdentitySecret, type LockPatience } from './identity-secret.ts';
import { IdentityUnreachable } from './identity-store.ts';
import { SecretClient } from './secret-client.ts';
import { startApiServer, type ApiServer } from './testing/api-server.ts';
import { createIdentity } from './testing/identities.ts';
import { KeptSecret } from './testing/kept-secret.ts';

let old: Identity;
let renewed: Identity;
beforeAll(async () => {
  [old, renewed] = await Promise.all([createIdentity('c1', 'old-token'), createIdentity('c1', 'new-token')]);
});

let api: ApiServer;
let kept: KeptSecret;
beforeEach(async () => {
  api = await startApiServer();
  kept = new KeptSecret(api, 'clustral/identity');
});
afterEach(() => api.stop());

const monotonic = (): number => performance.now();

function store(patience: LockPatience = { staleMs: 10_000, deadlineMs: 20_000 }): IdentitySecret {
  const config = {
    url: new URL(api.url),
    ca: { path: api.caPath },
    token: { path: api.tokenPath },
    clientCertificate: undefined,
    serverName: undefined,
    skipTlsVerify: false,
    trustedBy: 'a test',
  };
  const secret = { namespace: 'clustral', name: 'identity' };
  const client = new SecretClient({ config, secret, now: () => new Date(), monotonic });
  return new IdentitySecret({ client, monotonic, random: Math.random, patience });
}

const save = (identity: Identity, at = store()): Promise<void> => at.exclusive(() => at.save(identity));
const writes = () => api.requests.filter(({ method }) => method === 'PUT').length;

describe('an identity in a Secret', () => {
  it('is none in an empty Secret, and is read as it was saved, by another process too', async () => {
    expect(await store().load()).toBeUndefined();
    await save(old);
    await save(renewed);
    expect(await store().load()).toEqual(renewed);
    expect(kept.names).toEqual([
      'bootstrap-token.sha256',
      'ca.pem',
      'certificate.pem',
      'cluster-id',
      'key.pem',
      'token',
    ]);
  });

  it('is asked for as the agent itself, and nothing else of the cluster is', async () => {
    await save(old);
    expect(new Set(api.requests.map(({ target }) => target))).toEqual(new Set([kept.path]));
    expect(new Set(api.requests.map(({ method }) => method))).toEqual(new Set(['GET', 'PUT']));
    for (const { headers } of api.requests) {
      expect(headers).toContain('Bearer service-account-token');
      expect(headers.join().toLowerCase()).not.toContain('impersonate');
    }
  });

  it('keeps a key before anything is asked for it, and gives it again to whoever comes next (F-06)', async () => {
    const first = store();
    const keys = await first.exclusive(() => first.pendingKey());
    const next = store();
    expect(await next.exclusive(() => next.pendingKey())).toEqual(keys);
    await save(old);
    expect(kept.names).not.toContain('pending-key.pem');
  });

  it.each([403, 404, 500, 503])('stays the old one when the write is answered with %i (F-05)', async (status) => {
    await save(old);
    const second = store();
    const failing = second.exclusive(() => {
      kept.instead = ({ method }) => (method === 'PUT' ? status : undefined);
      return second.save(renewed);
    });
    await expect(failing).rejects.toThrow(IdentityUnreachable);
    kept.instead = () => undefined;
    expect(await store().load()).toEqual(old);
  });

  it('is the old or the new one when the connection is cut around any write (F-05)', async () => {
    const seen = new Set<string>();
    for (let at = 1; at <= 3; at += 1) {
      kept.secret = { metadata: { resourceVersion: '1' } };
      await save(old);
      const begun = writes();
      kept.instead = ({ method }) => (method === 'PUT' && writes() === begun + at ? 0 : undefined);
      await save(renewed).catch((error: unknown) => expect(error).toBeInstanceOf(IdentityUnreachable));
      kept.instead = () => undefined;
      const found = await store().load();
      expect([old, renewed]).toContainEqual(found);
      seen.add(found?.token ?? '');
    }
    expect(seen).toEqual(new Set(['old-token', 'new-token']));
  });

  it('goes back with what others wrote beside it', async () => {
    const labels = { team: 'platform' };
    const annotations = { note: 'kept' };
    const metadata = { resourceVersion: '1', annotations, labels };
    kept.secret = { metadata };
    await save(old);
    expect(kept.secret.metadata).toMatchObject({ labels, annotations });
    expect(kept.secret.metadata.annotations).toEqual(annotations);
  });

  it.each([
    [404, /kubectl -n clustral create secret generic identity/],
    [403, /look at the Role that lets the agent get and update secrets named identity/],
    [500, /answered with 500/],
  ])('that cannot be read because of %i is told with what to do, and without any of it', async (status, sentence) => {
    await save(old);
    kept.instead = () => status;
    const error = await store()
      .load()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IdentityUnreachable);
    expect(String(error)).toMatch(sentence);
    expect(String(error)).not.toMatch(/old-token|service-account-token|PRIVATE/);
  });
});

describe('the lock of a Secret (D36)', () => {
  it('lets one process work at a time', async () => {
    let inside = 0;
    const most = await Promise.all(
      Array.from({ length: 4 }, () =>
        store().exclusive(async () => {
          inside += 1;
          const seen = inside;
          await sleep(5);
          inside -= 1;
          return seen;
        }),
      ),
    );
    expect(Math.max(...most)).toBe(1);
    expect(kept.secret?.metadata.annotations).toEqual({});
  });

  it('is taken over from a pod that is gone, and nothing comes through from that pod any more', async () => {
    const slow = store();
    const goOn = Promise.withResolvers<void>();
    const late = slow.exclusive(async () => {
      await goOn.promise;
      await slow.save(old);
    });
    late.catch(() => undefined);
    await expect.poll(() => kept.secret?.metadata.annotations).not.toBeUndefined();
    await save(renewed, store({ staleMs: 200, deadlineMs: 20_000 }));
    goOn.resolve();
    await expect(late).rejects.toThrow(/took over the lock/);
    expect(await store().load()).toEqual(renewed);
  });

  it('is never taken over by the process that holds it', async () => {
    const one = store({ staleMs: 50, deadlineMs: 20_000 });
    const order: string[] = [];
    const first = one.exclusive(async () => {
      await sleep(400);
      await one.save(old);
      order.push('first');
    });
    const second = one.exclusive(async () => void order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });

  it('is not waited for without end', async () => {
    const first = store();
    const held = Promise.withResolvers<void>();
    const working = first.exclusive(() => held.promise);
    await expect.poll(() => kept.secret?.metadata.annotations).not.toBeUndefined();
    await expect(store({ staleMs: 10_000, deadlineMs: 100 }).exclusive(async () => 'mine')).rejects.toThrow(/too long/);
    held.resolve();
    await working;
    expect(await store().exclusive(async () => 'mine')).toBe('mine');
  });

  it('is given back when the work fails', async () => {
    await expect(store().exclusive(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(kept.secret?.metadata.annotations).toEqual({});
  });
});
