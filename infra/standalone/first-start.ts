/**
 * Keys and certificates of the embedded default, made at the first start and never committed: the agents' CA, the signing keys of every kind of
 * token, and TLS for the gateway and the demo cluster, each from a CA of its own. A folder is written beside and renamed, so that a kill leaves all of
 * it or none; a folder that is there but not whole is damage and is not mended.
 */
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCaCertificate, createKeyPair, issueCertificate, spkiOf } from '@clustral/kernel/x509.ts';
import { DataFolderError, type DataFolder } from './data-folder.ts';

const dayMs = 86_400_000;
const caDays = 3650;
const leafDays = 90;
const renewDays = 30;

type Files = Readonly<Record<string, string>>;

const wholeFolders: Readonly<Record<string, readonly string[]>> = {
  ca: ['ca.crt', 'ca.key'],
  keys: [
    ...['internal-jwt', 'kubeconfig-jwt', 'agent-jwt'].flatMap((name) => [`${name}.key`, `${name}.pub`]),
    'bootstrap-token.key',
    'demo-service-account.token',
  ],
  tls: ['edge', 'demo-cluster'].flatMap((name) => [`${name}-ca.crt`, `${name}-ca.key`, `${name}.crt`, `${name}.key`]),
};

/** Makes what is missing and renews what is about to expire. Throws `DataFolderError` when something is there but not whole. */
export async function prepareKeys(folder: DataFolder, now: Date): Promise<{ readonly caFingerprint: string }> {
  await ensureFolder(folder, 'ca', () => agentsCa(now));
  await ensureFolder(folder, 'keys', signingKeys);
  await ensureFolder(folder, 'tls', async () => ({
    ...(await authority('edge', now)),
    ...(await authority('demo-cluster', now)),
  }));
  await renewLeaf(folder.path, 'edge', now);
  await renewLeaf(folder.path, 'demo-cluster', now);
  return { caFingerprint: new X509Certificate(readFileSync(join(folder.path, 'tls', 'edge-ca.crt'))).fingerprint256 };
}

async function ensureFolder(folder: DataFolder, name: string, make: () => Promise<Files>): Promise<void> {
  const path = join(folder.path, name);
  if (existsSync(path)) return checkWhole(path, name);
  if (existsSync(join(folder.path, 'event-store'))) {
    throw new DataFolderError(
      `${path} is missing while there is a log beside it: restore the folder from a backup, or choose another with --data.`,
    );
  }
  const beside = `${path}.new`;
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { mode: 0o700 });
  for (const [file, text] of Object.entries(await make())) writeFileSync(join(beside, file), text, { mode: 0o600 });
  renameSync(beside, path);
}

function checkWhole(path: string, name: string): void {
  for (const file of wholeFolders[name] ?? []) {
    const text = existsSync(join(path, file)) ? readFileSync(join(path, file), 'utf8') : '';
    const isPem = /^-----BEGIN [A-Z ]+-----\n[\s\S]+-----END [A-Z ]+-----\n?$/.test(text);
    const isSecret = /\.token$|bootstrap-token\.key$/.test(file) && text.length >= 40;
    if (!isPem && !isSecret) {
      throw new DataFolderError(
        `${join(path, file)} is missing or damaged: restore the folder from a backup, or choose another with --data.`,
      );
    }
  }
}

async function agentsCa(now: Date): Promise<Files> {
  const keys = await createKeyPair('P-256');
  return {
    'ca.crt': await createCaCertificate({ keys, commonName: 'Clustral agents CA', ...validity(now, caDays) }),
    'ca.key': keys.privateKeyPem,
  };
}

async function signingKeys(): Promise<Files> {
  const pair = async (name: string, kind: 'P-256' | 'RSA-2048'): Promise<Files> => {
    const keys = await createKeyPair(kind);
    return { [`${name}.key`]: keys.privateKeyPem, [`${name}.pub`]: keys.publicKeyPem };
  };
  return {
    ...(await pair('internal-jwt', 'P-256')),
    ...(await pair('kubeconfig-jwt', 'P-256')),
    ...(await pair('agent-jwt', 'RSA-2048')),
    'bootstrap-token.key': `${randomBytes(32).toString('base64')}\n`,
    'demo-service-account.token': randomBytes(32).toString('base64url'),
  };
}

async function authority(name: string, now: Date): Promise<Files> {
  const keys = await createKeyPair('P-256');
  const certificatePem = await createCaCertificate({
    keys,
    commonName: `Clustral ${name} CA`,
    ...validity(now, caDays),
  });
  const leafKeys = await createKeyPair('P-256');
  const issuer = { certificatePem, privateKeyPem: keys.privateKeyPem };
  return {
    [`${name}-ca.crt`]: certificatePem,
    [`${name}-ca.key`]: keys.privateKeyPem,
    [`${name}.crt`]: await leafChain({ issuer, publicKey: spkiOf(leafKeys.publicKeyPem), now }),
    [`${name}.key`]: leafKeys.privateKeyPem,
  };
}

type LeafOrder = {
  readonly issuer: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly publicKey: Uint8Array;
  readonly now: Date;
};

async function leafChain({ issuer, publicKey, now }: LeafOrder): Promise<string> {
  const names = { hosts: ['localhost', '127.0.0.1', '::1'] };
  const leaf = await issueCertificate({
    issuer,
    publicKey,
    commonName: 'localhost',
    names,
    use: 'server',
    ...validity(now, leafDays),
  });
  // The chain goes out whole, so that a first contact can compare the CA's fingerprint.
  return `${leaf.trimEnd()}\n${issuer.certificatePem}`;
}

// The key stays, so that a kill between two files cannot leave a certificate without its key.
async function renewLeaf(folder: string, name: string, now: Date): Promise<void> {
  const at = (file: string): string => join(folder, 'tls', file);
  const read = (file: string): string => readFileSync(at(file), 'utf8');
  if (new X509Certificate(read(`${name}.crt`)).validToDate.getTime() - now.getTime() > renewDays * dayMs) return;
  const issuer = { certificatePem: read(`${name}-ca.crt`), privateKeyPem: read(`${name}-ca.key`) };
  const publicKey = createPublicKey(read(`${name}.key`)).export({ type: 'spki', format: 'der' });
  writeFileSync(at(`${name}.crt.new`), await leafChain({ issuer, publicKey, now }), { mode: 0o600 });
  renameSync(at(`${name}.crt.new`), at(`${name}.crt`));
}

const validity = (now: Date, days: number): { notBefore: Date; notAfter: Date } => ({
  // A clock that is a little behind must not see a certificate of the future.
  notBefore: new Date(now.getTime() - 300_000),
  notAfter: new Date(now.getTime() + days * dayMs),
});
