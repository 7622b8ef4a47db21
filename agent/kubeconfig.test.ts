import { beforeAll, describe, expect, it } from 'vitest';
import { createKeyPair } from '@clustral/kernel/x509.ts';
import { KubeconfigError } from './kubeconfig-section.ts';
import { readKubeconfig, type Kubeconfig } from './kubeconfig.ts';
import { createClientIdentity, type ClientIdentity } from './testing/identities.ts';

let client: ClientIdentity;
beforeAll(async () => {
  client = await createClientIdentity('dev');
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const cluster = (): Record<string, unknown> => ({
  server: 'https://127.0.0.1:6443',
  'certificate-authority-data': base64(client.ca),
});

type Said = {
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly whole?: Record<string, unknown>;
  readonly files?: Readonly<Record<string, string>>;
};

/** Reads a kubeconfig at /home/dev/.kube/config of one cluster and one user. */
function read({ cluster: server = cluster(), user = { token: 't' }, whole = {}, files = {} }: Said = {}): Kubeconfig {
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev@prod',
    contexts: [
      { name: 'other', context: { cluster: 'other', user: 'other' } },
      { name: 'dev@prod', context: { cluster: 'prod', user: 'dev', namespace: 'x' } },
    ],
    clusters: [{ name: 'prod', cluster: server }],
    users: [{ name: 'dev', user }],
    ...whole,
  });
  return readText(text, files);
}

function readText(text: string, files: Readonly<Record<string, string>> = {}): Kubeconfig {
  return readKubeconfig('/home/dev/.kube/config', (path) => {
    const found = path === '/home/dev/.kube/config' ? text : files[path];
    if (found === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return found;
  });
}

describe('a kubeconfig', () => {
  it('names an API server, whom to trust there, and a token', () => {
    const { context, kubernetes } = read();
    expect(context).toBe('dev@prod');
    expect(kubernetes.url.origin).toBe('https://127.0.0.1:6443');
    expect(kubernetes).toMatchObject({
      ca: { text: client.ca },
      token: { text: 't' },
      clientCertificate: undefined,
      serverName: undefined,
      skipTlsVerify: false,
      trustedBy: 'certificate-authority in /home/dev/.kube/config',
    });
  });

  it('names a client certificate, in the file or beside it, relative to the file', () => {
    const { certificate, key } = client;
    const inside = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
    expect(read({ user: inside }).kubernetes).toMatchObject({
      token: undefined,
      clientCertificate: { certificate: { text: certificate }, key: { text: key } },
    });
    const files = { '/home/dev/.kube/dev.crt': certificate, '/keys/dev.key': key, '/home/dev/ca.crt': client.ca };
    const beside = read({
      cluster: { server: 'https://a', 'certificate-authority': '../ca.crt' },
      user: { 'client-certificate': 'dev.crt', 'client-key': '/keys/dev.key' },
      files,
    });
    expect(beside.kubernetes).toMatchObject({
      ca: { path: '/home/dev/ca.crt' },
      clientCertificate: { certificate: { path: '/home/dev/.kube/dev.crt' }, key: { path: '/keys/dev.key' } },
    });
  });

  it('is read as kubectl reads it where it says a thing twice: data before its file, a token’s file before the token', () => {
    const { kubernetes } = read({
      cluster: { ...cluster(), 'certificate-authority': 'nowhere.crt' },
      user: { token: 't', tokenFile: 'token' },
      files: { '/home/dev/.kube/token': 'fresh\n' },
    });
    expect(kubernetes).toMatchObject({ ca: { text: client.ca }, token: { path: '/home/dev/.kube/token' } });
  });

  it('may name the server’s certificate otherwise, or leave it unverified', () => {
    expect(read({ cluster: { ...cluster(), 'tls-server-name': 'kubernetes' } }).kubernetes.serverName).toBe(
      'kubernetes',
    );
    const unverified = { server: 'https://a:1', 'insecure-skip-tls-verify': true };
    expect(read({ cluster: unverified }).kubernetes.skipTlsVerify).toBe(true);
    expect(read({ cluster: { ...cluster(), 'insecure-skip-tls-verify': false } }).kubernetes.skipTlsVerify).toBe(false);
  });

  it('may be YAML in which names and tokens look like something else', () => {
    const { context, kubernetes } = readText(
      [
        'current-context: yes',
        'contexts: [{name: yes, context: {cluster: 1_000, user: 0x1f}}]',
        `clusters: [{name: 1_000, cluster: {server: "https://a", certificate-authority-data: ${base64(client.ca)}}}]`,
        'users:',
        '- name: 0x1f',
        '  user:',
        '    exec:',
        '    username: ""',
        '    auth-provider: null',
        '    token: 0123',
        'preferences: {}',
      ].join('\n'),
    );
    expect(context).toBe('yes');
    expect(kubernetes.token).toEqual({ text: '0123' });
  });
});

describe('a kubeconfig that cannot be used is refused in one sentence', () => {
  it.each<[string, Said | string, string]>([
    ['not YAML', '{a: [', 'The kubeconfig /home/dev/.kube/config is not a kubeconfig'],
    ['empty', '', 'is not a kubeconfig'],
    ['a list', '[]', 'is not a kubeconfig'],
    ['too large', `a: ${'x'.repeat(1_100_000)}`, 'is larger than 1 MiB'],
    ['without a context', { whole: { 'current-context': '' } }, 'names no current-context'],
    ['of a context that is not there', { whole: { contexts: [] } }, 'names the context "dev@prod", which is not there'],
    ['of a cluster that is not there', { whole: { clusters: null } }, 'The context "dev@prod" of the kubeconfig'],
    ['of a user that is not there', { whole: { users: 'x' } }, 'names the user "dev", which is not there'],
    ['with an empty context', { whole: { contexts: [{ name: 'dev@prod', context: null }] } }, 'names no cluster'],
    ['without a server', { cluster: {} }, 'The cluster "prod" of the kubeconfig /home/dev/.kube/config has a server'],
    ['in clear text', { cluster: { server: 'http://a:8080' } }, 'not of the form https://host:port'],
    ['below a path', { cluster: { server: 'https://a/k8s/clusters/c-1' } }, 'not of the form https://host:port'],
    ['behind a proxy', { cluster: { server: 'https://a', 'proxy-url': 'http://p' } }, 'is behind a proxy'],
    ['that trusts nobody', { cluster: { server: 'https://a' } }, 'names no certificate-authority'],
    [
      'that cannot decide whom to trust',
      { cluster: { server: 'https://a', 'insecure-skip-tls-verify': true, 'certificate-authority': 'x' } },
      'only one can be meant',
    ],
    [
      'with a flag that is none',
      { cluster: { server: 'https://a', 'insecure-skip-tls-verify': 'maybe' } },
      'true or false',
    ],
    [
      'with CA data that are none',
      { cluster: { server: 'https://a', 'certificate-authority-data': 'x' } },
      'no PEM in base64',
    ],
    [
      'with a CA that is none',
      { cluster: { server: 'https://a', 'certificate-authority': 'ca' }, files: { '/home/dev/.kube/ca': 'x' } },
      'has a certificate-authority that is no certificate',
    ],
    [
      'of a file that is not there',
      { cluster: { server: 'https://a', 'certificate-authority': 'ca' } },
      'The cluster "prod" of the kubeconfig /home/dev/.kube/config names /home/dev/.kube/ca, which cannot be read (ENOENT)',
    ],
    [
      'without credentials',
      { user: {} },
      'The user "dev" of the kubeconfig /home/dev/.kube/config has neither a token',
    ],
    ['of a program', { user: { exec: { command: 'aws' }, token: 't' } }, 'signs in by a program (exec)'],
    ['of an auth provider', { user: { 'auth-provider': { name: 'oidc' } } }, 'signs in by an auth-provider'],
    ['of a password', { user: { username: 'admin', password: 'secret' } }, 'signs in by a password'],
    ['of somebody else', { user: { token: 't', as: 'root' } }, 'acts as somebody else (as)'],
    ['with a list for a token', { user: { token: ['secret'] } }, 'something else than text as token'],
    ['with a token of two lines', { user: { token: 'secret\nsecret' } }, 'a token that cannot be sent'],
    [
      'with a token file that is empty',
      { user: { tokenFile: 't' }, files: { '/home/dev/.kube/t': '\n' } },
      'holds no token',
    ],
    ['with half a client certificate', { user: { 'client-certificate': 'x' } }, 'without its key'],
  ])('%s', (_, said, sentence) => {
    const reading = (): Kubeconfig => (typeof said === 'string' ? readText(said) : read(said));
    expect(reading).toThrow(KubeconfigError);
    expect(reading).toThrow(sentence);
    expect(reading).not.toThrow('secret');
  });

  it('with a key of another certificate', async () => {
    const { privateKeyPem } = await createKeyPair('P-256');
    const user = { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(privateKeyPem) };
    expect(() => read({ user })).toThrow('that cannot be used together');
  });

  it('when there is no such file', () => {
    expect(() => readKubeconfig('/nowhere/config')).toThrow('The kubeconfig /nowhere/config cannot be read (ENOENT).');
  });
});
