/** What a test needs to run the real control plane: keys, the environment, people with tokens, and calls over REST. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  gatewayIssuer,
  internalAudience,
  internalTokenHeader,
  positionHeader,
  type InternalClaims,
} from '@clustral/schemas/tokens.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { createSigner, type Signer } from '@clustral/kernel/jwt.ts';
import { createCaCertificate, createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';

export const issuer = 'https://id.example/realms/test';
const day = 86_400_000;

export type Installation = {
  readonly environment: Environment;
  readonly gateway: Signer;
  readonly keys: Readonly<Record<'internal' | 'kubeconfig' | 'agent', KeyPair>>;
};

/** Makes the keys in the folder and says what the control plane's environment is. */
export async function prepareInstallation(folder: string, eventStore: string): Promise<Installation> {
  mkdirSync(folder, { recursive: true });
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const [internal, kubeconfig, agent, ca] = await Promise.all([
    createKeyPair('P-256'),
    createKeyPair('P-256'),
    createKeyPair('RSA-2048'),
    createKeyPair('P-256'),
  ]);
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 365 * day) };
  const environment: Environment = {
    CLUSTRAL_ENV: 'embedded',
    PUBLIC_URL: 'https://localhost:8443',
    PORT: '0',
    TUNNEL_PORT: '0',
    EVENTSTORE_CONNECTION_STRING: eventStore,
    CLUSTRAL_DATA: folder,
    CA_CERT_PATH: file('ca.crt', await createCaCertificate({ keys: ca, commonName: 'test CA', ...validity })),
    CA_KEY_PATH: file('ca.key', ca.privateKeyPem),
    INTERNAL_JWT_PUBLIC_KEY_PATH: file('internal.pub', internal.publicKeyPem),
    KUBECONFIG_JWT_PRIVATE_KEY_PATH: file('kubeconfig.key', kubeconfig.privateKeyPem),
    KUBECONFIG_JWT_PUBLIC_KEY_PATH: file('kubeconfig.pub', kubeconfig.publicKeyPem),
    AGENT_JWT_PRIVATE_KEY_PATH: file('agent.key', agent.privateKeyPem),
    AGENT_JWT_PUBLIC_KEY_PATH: file('agent.pub', agent.publicKeyPem),
    BOOTSTRAP_TOKEN_KEY_PATH: file('bootstrap.key', randomBytes(32).toString('base64')),
  };
  const kind = { algorithm: 'ES256', issuer: gatewayIssuer, audience: internalAudience } as const;
  return {
    environment,
    gateway: await createSigner({ ...kind, ...internal }),
    keys: { internal, kubeconfig, agent },
  };
}

/** Somebody who signed in at the provider: what the gateway tells of them. */
export type Person = Partial<InternalClaims> & { readonly sub: string };

export const admin: Person = { sub: 'admin', email: 'admin@corp.com', email_verified: true, roles: ['clustral-admin'] };
export const auditor: Person = {
  sub: 'auditor',
  email: 'auditor@corp.com',
  email_verified: true,
  roles: ['clustral-auditor'],
};
export const alice: Person = { sub: 'alice', email: 'alice@corp.com', email_verified: true, name: 'Alice' };
export const bob: Person = { sub: 'bob', email: 'bob@corp.com', email_verified: true };

export type Answer = {
  readonly status: number;
  // Tests look into answers of many shapes; each checks what it reads.
  readonly json: Readonly<Record<string, never>>;
  readonly position: string | undefined;
};

export type CallOptions = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };

/** Calls the server at `port` as the gateway would for that person; `as: undefined` = nobody. */
export class RestClient {
  readonly #gateway: Signer;
  port = 0;

  constructor(gateway: Signer) {
    this.#gateway = gateway;
  }

  async token(claims: Partial<InternalClaims>): Promise<string> {
    const iat = Math.floor(Date.now() / 1000);
    return this.#gateway.sign({ kind: 'internal', issuer, ...claims, iat, exp: iat + 30 } as never);
  }

  async call(as: Person | undefined, line: string, { body, headers = {} }: CallOptions = {}): Promise<Answer> {
    const [method = 'GET', path = '/'] = line.split(' ');
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: {
        ...(as === undefined ? {} : { [internalTokenHeader]: await this.token(as) }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      json: (isJson ? JSON.parse(text) : { text }) as Answer['json'],
      position: response.headers.get(positionHeader) ?? undefined,
    };
  }
}
