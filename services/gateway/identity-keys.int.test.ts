import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Agent } from 'undici';
import { createLog } from '@clustral/kernel/log.ts';
import { createIdentityKeys, keysAddressOf, type IdentityKeys } from './identity-keys.ts';
import { createOidcTokens } from './oidc-token.ts';
import { eventually } from './testing/gateway.ts';
import { audience, makeSigningKey, startTestProvider, type TestProvider } from './testing/identity-provider.ts';

let provider: TestProvider;
let dispatcher: Agent;
let keys: IdentityKeys;
let monotonicMs = 0;

beforeEach(async () => {
  provider = await startTestProvider();
  dispatcher = new Agent();
  monotonicMs = 1_000_000;
  keys = createIdentityKeys({
    authority: provider.authority,
    metadataAddress: provider.metadataAddress,
    dispatcher,
    log: createLog('test', 'silent'),
    monotonicMs: () => monotonicMs,
  });
});
afterEach(async () => {
  keys.stop();
  await dispatcher.destroy();
  await provider.stop();
});

const started = async (): Promise<void> => {
  keys.start();
  await eventually(() => keys.notReady() === undefined);
};
const verify = async (token: Promise<string>): Promise<unknown> =>
  createOidcTokens({
    issuers: new Map([[provider.authority, keys]]),
    audiences: [audience],
    rolesClaims: ['realm_access.roles'],
    groupsClaims: ['groups'],
    roleMapping: new Map(),
    now: () => Date.now(),
  }).verify(await token);

describe("ID-07 the life of the provider's keys", () => {
  it('is not ready and verifies nothing before they are known', async () => {
    expect(keys.notReady()).toContain('not fetched yet');
    await expect(verify(provider.token())).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it('becomes ready by itself when the provider comes up', async () => {
    provider.misbehave = (_request, response) => void response.writeHead(503).end();
    keys.start();
    await eventually(() => keys.notReady()?.includes('503') === true);
    provider.misbehave = undefined;
    await eventually(() => keys.notReady() === undefined);
    await verify(provider.token());
  });

  it('takes a new key at once, but fetches at most every 30 s', async () => {
    await started();
    const second = await makeSigningKey('second', 'ES256');
    provider.keys = [...provider.keys, second];
    await expect(verify(provider.token({}, second))).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    monotonicMs += 30_000;
    await verify(provider.token({}, second));
    expect(provider.keyFetches()).toBe(2);
  });

  it('GW-20 fetches once for 2,000 tokens that name keys which do not exist', async () => {
    await started();
    monotonicMs += 60_000;
    const stranger = await makeSigningKey('x');
    const token = await provider.token({}, { ...stranger, kid: 'nobody' });
    const outcomes = await Promise.allSettled(Array.from({ length: 2_000 }, () => verify(Promise.resolve(token))));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(provider.keyFetches()).toBe(2);
  });

  it('forgets a key that is no longer published', async () => {
    await started();
    const old = provider.keys[0];
    const generation = keys.generation();
    provider.keys = [await makeSigningKey('second')];
    monotonicMs += 30_000;
    await verify(provider.token());
    expect(keys.generation()).toBe(generation + 1);
    await expect(verify(provider.token({}, old))).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  });

  it('tries each of two keys that share an id', async () => {
    provider.keys = [await makeSigningKey('twin'), await makeSigningKey('twin')];
    await started();
    await verify(provider.token({}, provider.keys[0]));
    await verify(provider.token({}, provider.keys[1]));
    await expect(verify(provider.token({}, await makeSigningKey('twin')))).rejects.toMatchObject({
      code: 'INVALID_TOKEN',
    });
  });

  it('F-33 goes on with the last keys for 10 min, then says 503 and is not ready', async () => {
    await started();
    provider.misbehave = (_request, response) => void response.writeHead(500).end();
    monotonicMs += 600_000;
    await verify(provider.token());
    monotonicMs += 1;
    await expect(verify(provider.token())).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(keys.notReady()).toContain('not known');
  });

  it.each([
    ['HTML', 'text/html', '<html>', 'something else than JSON'],
    ['JSON that is none', 'application/json', '{', 'cannot be read'],
    ['a list', 'application/json', '[]', 'issuer'],
    [
      'another issuer',
      'application/json',
      '{"issuer":"https://evil","jwks_uri":"https://evil/certs"}',
      'names the issuer',
    ],
    ['5 MB', 'application/json', `"${'a'.repeat(5_000_000)}"`, 'more than 1 MB'],
  ])('refuses %s', async (...[, type, body, reason]) => {
    provider.misbehave = (_request, response) => void response.setHeader('content-type', type).end(body);
    keys.start();
    await eventually(() => keys.notReady()?.includes(reason) === true);
  });

  it('follows no redirect', async () => {
    provider.misbehave = (_request, response) => void response.writeHead(302, { location: provider.authority }).end();
    keys.start();
    await eventually(() => keys.notReady()?.includes('302') === true);
  });

  it('refuses a key set without usable keys for what it is', async () => {
    provider.keys = [];
    await started();
    await expect(verify(provider.token({}, await makeSigningKey('first')))).rejects.toMatchObject({
      code: 'INVALID_TOKEN',
    });
  });
});

describe('where the keys are', () => {
  const inside = 'http://127.0.0.1:9000/realms/clustral/.well-known/openid-configuration';
  const authority = 'https://localhost:8443/realms/clustral';

  it('is where the metadata came from, when they name the public address', () => {
    expect(keysAddressOf('https://localhost:8443/realms/clustral/certs?x=1', authority, inside)).toBe(
      'http://127.0.0.1:9000/realms/clustral/certs?x=1',
    );
  });

  it('may be another host, but not over plain http when the metadata were not', () => {
    expect(keysAddressOf('https://keys.example/certs', authority, inside)).toBe('https://keys.example/certs');
    const outside = 'https://id.example/.well-known/openid-configuration';
    expect(() => keysAddressOf('http://keys.example/certs', 'https://id.example', outside)).toThrow('plain http');
    expect(() => keysAddressOf(undefined, authority, inside)).toThrow('no jwks_uri');
  });
});
