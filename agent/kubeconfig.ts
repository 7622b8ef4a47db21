/**
 * A kubeconfig as the way to an API server, for trying out: what its current context names, checked as a whole before anything is
 * dialled. It takes a token or a client certificate; what would run a program, or make the agent somebody else than the file's user, it
 * refuses. The rule it lives by: what it cannot do as kubectl would it does not do, and says so in one sentence.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { Section, type ReadFile } from './kubeconfig-section.ts';
import type { KubernetesConfig } from './kubernetes-config.ts';

export type Kubeconfig = { readonly context: string; readonly kubernetes: KubernetesConfig };

type Server = Pick<KubernetesConfig, 'url' | 'ca' | 'serverName' | 'skipTlsVerify'>;
type Credentials = Pick<KubernetesConfig, 'token' | 'clientCertificate'>;

/** Reads and checks the file and those that it names. Throws `KubeconfigError`. */
export function readKubeconfig(path: string, readFile: ReadFile = (at) => readFileSync(at, 'utf8')): Kubeconfig {
  const file = resolve(path);
  const whole = Section.ofFile({ path: file, readFile });
  const context = whole.named('current-context', whole);
  const server = serverIn(context.named('cluster', whole));
  const credentials = credentialsIn(context.named('user', whole));
  return {
    context: whole.text('current-context') ?? '',
    kubernetes: { ...server, ...credentials, trustedBy: `certificate-authority in ${file}` },
  };
}

function serverIn(cluster: Section): Server {
  const url = URL.parse(cluster.text('server') ?? '');
  if (
    url?.protocol !== 'https:' ||
    url.username !== '' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.pathname !== '/'
  ) {
    throw cluster.error('has a server that is not of the form https://host:port, which the agent needs.');
  }
  if (cluster.has('proxy-url')) throw cluster.error('is behind a proxy (proxy-url), and the agent dials it directly.');
  const skipTlsVerify = cluster.flag('insecure-skip-tls-verify');
  const ca = cluster.pem('certificate-authority');
  if (skipTlsVerify && ca) {
    throw cluster.error('has both a certificate-authority and insecure-skip-tls-verify: only one can be meant.');
  }
  if (!skipTlsVerify && !ca) {
    throw cluster.error('names no certificate-authority, and the agent trusts no CA but the one it is given.');
  }
  if (ca && !isCertificate(cluster.read(ca)))
    throw cluster.error('has a certificate-authority that is no certificate.');
  return { url, ca: ca ?? { text: '' }, serverName: cluster.text('tls-server-name'), skipTlsVerify };
}

/** What an agent does not do for a user, and what to do instead. */
const refused: Readonly<Record<string, string>> = {
  exec: 'signs in by a program (exec)',
  'auth-provider': 'signs in by an auth-provider',
  username: 'signs in by a password',
  password: 'signs in by a password',
  as: 'acts as somebody else (as)',
  'as-uid': 'acts as somebody else (as-uid)',
  'as-groups': 'acts as somebody else (as-groups)',
  'as-user-extra': 'acts as somebody else (as-user-extra)',
};

function credentialsIn(user: Section): Credentials {
  const found = Object.keys(refused).find((key) => user.has(key));
  if (found !== undefined) {
    throw user.error(`${refused[found]}, which the agent cannot: use one with a token or a client certificate.`);
  }
  const token = tokenIn(user);
  const clientCertificate = clientCertificateIn(user);
  if (!token && !clientCertificate) throw user.error('has neither a token nor a client certificate.');
  return { token, clientCertificate };
}

// The file goes first, as with kubectl: it is the one that is kept fresh.
function tokenIn(user: Section): Credentials['token'] {
  const file = user.file('tokenFile');
  const text = user.text('token');
  if (file && user.read(file).trim() === '') throw user.error(`names ${file.path}, which holds no token.`);
  if (file) return file;
  if (text !== undefined && !/^[\x21-\x7e]+$/.test(text)) throw user.error('has a token that cannot be sent.');
  return text === undefined ? undefined : { text };
}

function clientCertificateIn(user: Section): Credentials['clientCertificate'] {
  const [certificate, key] = [user.pem('client-certificate'), user.pem('client-key')];
  if (!certificate && !key) return undefined;
  if (!certificate || !key)
    throw user.error('has a client certificate without its key, or a key without its certificate.');
  try {
    createSecureContext({ cert: user.read(certificate), key: user.read(key) });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw user.error(`has a client certificate and a key that cannot be used together (${code}).`);
  }
  return { certificate, key };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
