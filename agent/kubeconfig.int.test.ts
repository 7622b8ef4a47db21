import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '@clustral/kernel/config.ts';
import type { ApiServer, ApiServerOptions } from './testing/api-server.ts';
import { linesOf } from './testing/header-lines.ts';
import { createClientIdentity, type ClientIdentity } from './testing/identities.ts';
import { startServed, type Served } from './testing/served.ts';

let client: ClientIdentity;
let served: Served | undefined;
beforeAll(async () => {
  client = await createClientIdentity('dev');
});
afterEach(() => served?.stop());

const base64 = (text: string): string => Buffer.from(text).toString('base64');

type Said = { readonly cluster?: object; readonly user: object };

/** Writes a kubeconfig beside the API server's files, and says where it is. */
function kubeconfigFor(api: ApiServer, { cluster = {}, user }: Said): Environment {
  const path = join(api.folder, 'kubeconfig');
  writeFileSync(join(api.folder, 'other.crt'), client.ca);
  const server = { server: api.url, 'certificate-authority': 'ca.crt', ...cluster };
  const text = JSON.stringify({
    'current-context': 'dev',
    contexts: [{ name: 'dev', context: { cluster: 'rec', user: 'dev' } }],
    clusters: [{ name: 'rec', cluster: server }],
    users: [{ name: 'dev', user }],
  });
  writeFileSync(path, text);
  return { AGENT_KUBECONFIG: path, AGENT_KUBERNETES_API_URL: undefined };
}

const start = async (said: Said, options: ApiServerOptions = {}): Promise<Served> => {
  served = await startServed(options, (api) => kubeconfigFor(api, said));
  return served;
};

const byCertificate = (): Said => ({
  user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
});

const upgrade = { upgrade: true, bodyless: false, headers: ['Upgrade', 'websocket'] };

describe('an agent with a kubeconfig', () => {
  it.each([
    ['HTTP/2', false],
    ['HTTP/1.1', true],
  ])('is known by its client certificate and sends no token, over %s and for an upgrade', async (_, http1Only) => {
    const own = await start(byCertificate(), { http1Only, clientCa: client.ca });
    expect(await own.get({ headers: ['Authorization', 'Bearer stolen'] })).toMatchObject({ result: 200 });
    expect((await own.open(upgrade).begun).status).toBe(101);
    const asked = [...own.api.requests, ...own.api.upgrades];
    expect(asked.map(({ target }) => target)).toContain('/version');
    expect(asked.flatMap(({ headers }) => linesOf(headers, 'authorization'))).toEqual([]);
    expect(own.api.proxied.flatMap(({ headers }) => linesOf(headers, 'impersonate-user'))).toEqual(['alice@corp.com']);
  });

  it('reads a certificate beside the file anew when it dials', async () => {
    const user = { 'client-certificate': 'dev.crt', 'client-key': 'dev.key' };
    const stranger = await createClientIdentity('stranger');
    const write = (folder: string, { certificate, key }: ClientIdentity): void => {
      writeFileSync(join(folder, 'dev.crt'), certificate);
      writeFileSync(join(folder, 'dev.key'), key);
    };
    served = await startServed({ clientCa: client.ca }, (api) => {
      write(api.folder, stranger);
      return kubeconfigFor(api, { user });
    });
    expect(await served.get()).toMatchObject({ result: 'AGENT_ERROR' });
    write(served.api.folder, client);
    expect(await served.get()).toMatchObject({ result: 200 });
  });

  it('sends the token that stands there, or that of the file it names', async () => {
    const standing = await start({ user: { token: 'from-the-kubeconfig' } });
    await standing.get();
    expect(linesOf(standing.api.proxied[0]?.headers ?? [], 'authorization')).toEqual(['Bearer from-the-kubeconfig']);
    await standing.stop();
    const named = await start({ user: { tokenFile: 'token' } });
    await named.get();
    expect(linesOf(named.api.proxied[0]?.headers ?? [], 'authorization')).toEqual(['Bearer service-account-token']);
  });

  it.each([
    ['another name that its certificate has', { 'tls-server-name': 'localhost' }, 200],
    ['another address that its certificate has', { 'tls-server-name': '127.0.0.1' }, 200],
    ['a name that its certificate has not', { 'tls-server-name': 'kubernetes' }, 'AGENT_ERROR'],
    ['an address that its certificate has not', { 'tls-server-name': '10.96.0.1' }, 'AGENT_ERROR'],
    ['any name, unverified', { 'certificate-authority': '', 'insecure-skip-tls-verify': true }, 200],
  ])('takes the API server by %s', async (_, cluster, result) => {
    const own = await start({ cluster, user: { token: 't' } });
    expect(await own.get()).toMatchObject({ result });
  });

  it('says by its file who is not trusted', async () => {
    const own = await start({ cluster: { 'certificate-authority': 'other.crt' }, user: { token: 't' } });
    expect((await own.get()).refusal?.message).toMatch(/not trusted .*certificate-authority in .*kubeconfig/);
  });

  it('does without the API server until it is there', async () => {
    const own = await start({ cluster: { server: 'https://127.0.0.1:1' }, user: { token: 't' } });
    expect((await own.get()).refusal).toMatchObject({ code: 'AGENT_ERROR' });
    expect(own.agent.connected()).toBe(true);
    expect(own.agent.said).toEqual([expect.stringMatching(/127\.0\.0\.1:1 refuses connections/)]);
  });
});
