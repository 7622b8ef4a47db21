/**
 * The product with a real Keycloak in the place of the embedded identity provider, and with nothing else changed: people sign in there, with the
 * command line tool as it is, and what happens to them there has its effect here.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent, fetch } from 'undici';
import type { Environment } from '@clustral/kernel/config.ts';
import { createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';
import { approveDevice } from '../embedded/identity-provider/sign-in.ts';
import { freePorts } from '../standalone/ports.ts';
import { startComposedProduct, type ComposedProduct } from './parts/composed-product.ts';
import { missingForKeycloak, startKeycloak, type Keycloak } from './parts/keycloak.ts';
import { kubectl } from './parts/kubectl.ts';
import { newPerson, newPlace, until, type Person, type Running } from './parts/product.ts';

const missing = missingForKeycloak();
if (missing !== undefined) console.log(`not run: a real Keycloak; missing: ${missing}`);

const binary = kubectl('1.35');
const day = 86_400_000;

type Account = { accessToken: string; accessTokenExpiresAt: string; refreshToken?: string };

describe.skipIf(missing !== undefined)('with a real Keycloak', () => {
  let keycloak: Keycloak;
  let product: ComposedProduct;
  let admin: Person;
  let dev: Person;

  beforeAll(async () => {
    const place = await newPlace();
    const [httpsPort = 0, httpPort = 0] = await freePorts(2);
    const issuer = `https://localhost:${httpsPort}/realms/clustral`;
    product = await startComposedProduct(place, {
      issuer,
      before: async ({ at }) => {
        const files = await certificateBeside(at.edgeCa);
        keycloak = await startKeycloak({ httpsPort, httpPort, ...files });
      },
      compose: ({ 'identity-provider': _embedded, gateway = {}, web = {}, ...parts }, { at }) => ({
        ...parts,
        gateway: atKeycloak(gateway, issuer, at.edgeCa),
        web: { ...web, OIDC_AUTHORITY: issuer },
      }),
    });
    [admin, dev] = [newPerson(), newPerson()];
  });
  afterAll(async () => {
    await product?.stop();
    await keycloak?.stop();
    for (const person of [admin, dev]) person?.remove();
  });

  const accountFile = (person: Person): string => {
    const accounts = join(person.home, '.clustral/profiles/default/accounts');
    const [file = ''] = readdirSync(accounts).filter((name) => name.endsWith('.json'));
    return join(accounts, file);
  };
  const account = (person: Person): Account => JSON.parse(readFileSync(accountFile(person), 'utf8')) as Account;
  /** As if the access token had ended: the next command needs a new one. */
  const tokenEnds = (person: Person): void => {
    const ended = { ...account(person), accessTokenExpiresAt: new Date(Date.now() - 1_000).toISOString() };
    writeFileSync(accountFile(person), JSON.stringify(ended), { mode: 0o600 });
  };
  const succeed = async (person: Person, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await person.clustral(...words);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const askWith = async (token: string): Promise<number> => {
    const dispatcher = new Agent({ connect: { ca: product.caPem() } });
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await fetch(`${product.url}/api/v1/clusters`, { dispatcher, headers });
    await dispatcher.destroy();
    return status;
  };

  /** What somebody opens on another device. */
  const deviceLink = async (login: Running): Promise<{ verificationUriComplete: string; ca: string }> => {
    const address = /^or open (\S+)$/m;
    await until(() => address.test(login.stderr()), {
      limitMs: 20_000,
      what: () => `the address to open: ${login.stderr()}`,
      failed: () => login.child.exitCode !== null,
    });
    return { verificationUriComplete: address.exec(login.stderr())?.[1] ?? '', ca: product.caPem() };
  };

  it('signs in by code and PKCE, as whoever Keycloak says', async () => {
    const { code, stderr } = await admin.signIn(product, 'admin');
    expect(code, stderr).toBe(0);
    expect(await succeed(admin, 'whoami')).toContain('admin@clustral.local');
    const claims = decodeJwt(account(admin).accessToken);
    expect(claims).toMatchObject({
      iss: keycloak.issuer,
      azp: 'clustral-cli',
      realm_access: { roles: expect.arrayContaining(['clustral-admin']) },
    });
  });

  it('signs in by a code that is entered on another device', async () => {
    const login = dev.startKubectl(process.execPath, [cli, 'login', product.url, '--device']);
    await approveDevice({ ...(await deviceLink(login)), username: 'dev', password: 'dev' });
    const { code, stderr } = await login.exited;
    expect(code, stderr).toBe(0);
    expect(await succeed(dev, 'whoami')).toContain('dev@clustral.local');
  });

  it('D10 takes its roles: an administrator may administer, and somebody else may not', async () => {
    expect(await succeed(admin, 'users', 'list')).toContain('dev@clustral.local');
    const refused = await dev.clustral('users', 'list');
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('FORBIDDEN');
  });

  it('lets kubectl in with the rights that a person has here', async () => {
    await succeed(admin, 'kube', 'login', 'demo');
    const got = await admin.kubectl(binary, ['get', 'ns', '-o', 'name']);
    expect(got.code, got.stderr).toBe(0);
    expect(got.stdout).toContain('namespace/default');
    await succeed(admin, 'assignments', 'add', 'dev@clustral.local', 'demo', 'k8s-viewer');
    await succeed(dev, 'kube', 'login', 'demo');
    expect((await dev.kubectl(binary, ['get', 'ns', '-o', 'name'])).stdout).toContain('namespace/default');
    const refused = await dev.kubectl(binary, ['create', 'configmap', 'x']);
    expect(refused.stderr).toContain('User "dev@clustral.local" cannot create resource "configmaps"');
  });

  it('renews a session whose access token has ended, without asking anybody', async () => {
    const before = account(admin).accessToken;
    tokenEnds(admin);
    await succeed(admin, 'clusters', 'list');
    expect(account(admin).accessToken).not.toBe(before);
    expect(Date.parse(account(admin).accessTokenExpiresAt)).toBeGreaterThan(Date.now());
  });

  it('ID-06 refuses a token of another client of the same realm, and a token that is none for an API', async () => {
    expect(await askWith(account(admin).accessToken)).toBe(200);
    expect(await askWith(await keycloak.foreignToken('admin'))).toBe(401);
    expect(await askWith(account(admin).refreshToken ?? '')).toBe(401);
  });

  it('ID-07 F-32 goes on when Keycloak signs with another key, with the old tokens and the new', async () => {
    const old = account(admin).accessToken;
    await keycloak.rotateKeys();
    tokenEnds(admin);
    // The gateway asks for keys at most every 30 s.
    await until(async () => (await admin.clustral('clusters', 'list')).code === 0, {
      limitMs: 40_000,
      what: () => 'a token of the new key to be taken',
    });
    const kid = (token: string): unknown => decodeProtectedHeader(token)['kid'];
    expect(kid(account(admin).accessToken)).not.toBe(kid(old));
    expect(await askWith(old)).toBe(200);
  });

  it('F-33 goes on with kubectl while Keycloak does not answer, and says so to whoever signs in', async () => {
    keycloak.freeze();
    const got = await admin.kubectl(binary, ['get', 'ns', '-o', 'name']);
    expect(got.stdout).toContain('namespace/default');
    expect(await askWith(account(admin).accessToken)).toBe(200);
    const begun = performance.now();
    const stranger = newPerson();
    const { code, stderr } = await stranger.clustral('login', product.url, '--no-browser', '--timeout', '2s');
    expect(code).toBe(7);
    expect(stderr).toContain('identity provider');
    expect(performance.now() - begun).toBeLessThan(15_000);
    stranger.remove();
    keycloak.thaw();
  });

  it('ends with the session that was ended there', async () => {
    await keycloak.endSessions('admin');
    tokenEnds(admin);
    const { code, stderr } = await admin.clustral('clusters', 'list');
    expect(code).toBe(4);
    expect(stderr).toContain(`clustral login ${product.url}`);
    const again = await admin.signIn(product, 'admin');
    expect(again.code, again.stderr).toBe(0);
  });

  it('ID-09 gives nothing new to a person who was disabled there, and nothing at all to one who is disabled here', async () => {
    await keycloak.disable('dev');
    tokenEnds(dev);
    const refused = await dev.clustral('kube', 'login', 'demo');
    expect(refused.code).toBe(4);
    const login = dev.startKubectl(process.execPath, [cli, 'login', product.url, '--device']);
    await expect(approveDevice({ ...(await deviceLink(login)), username: 'dev', password: 'dev' })).rejects.toThrow();
    login.kill();
    // What they had ends by itself, or at once when an administrator of Clustral says so.
    expect((await dev.kubectl(binary, ['get', 'ns', '-o', 'name'])).stdout).toContain('namespace/default');
    await succeed(admin, 'users', 'disable', 'dev@clustral.local');
    const begun = performance.now();
    expect((await dev.kubectl(binary, ['get', 'ns', '-o', 'name'])).code).not.toBe(0);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

const cli = join(import.meta.dirname, '..', '..', 'cli', 'clustral.mjs');

/** A certificate for `localhost` from the CA that people of the product trust already. */
async function certificateBeside(caPath: string): Promise<{ certificatePath: string; keyPath: string }> {
  const folder = join(caPath, '..');
  const [certificatePath, keyPath] = [join(folder, 'keycloak.crt'), join(folder, 'keycloak.key')];
  const keys = await createKeyPair('P-256');
  const certificate = await issueCertificate({
    issuer: {
      certificatePem: readFileSync(caPath, 'utf8'),
      privateKeyPem: readFileSync(join(folder, 'edge-ca.key'), 'utf8'),
    },
    publicKey: spkiOf(keys.publicKeyPem),
    commonName: 'localhost',
    names: { hosts: ['localhost', '127.0.0.1'] },
    use: 'server',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + day),
  });
  writeFileSync(certificatePath, certificate);
  writeFileSync(keyPath, keys.privateKeyPem, { mode: 0o600 });
  return { certificatePath, keyPath };
}

/** What a gateway in production is told: nothing of an embedded provider, and nothing that is for trying out. */
function atKeycloak(gateway: Environment, issuer: string, caPath: string): Environment {
  const { IDENTITY_PROVIDER_URL: _embedded, OIDC_METADATA_ADDRESS: _socket, ...others } = gateway;
  return { ...others, CLUSTRAL_ENV: 'production', OIDC_AUTHORITY: issuer, TRUSTED_CA_PATH: caPath };
}
