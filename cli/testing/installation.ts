/**
 * A Clustral installation in small for tests of the command line: TLS, the discovery document, the real embedded identity provider behind it, and the admin
 * API in memory. One address, as the gateway has it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { discoveryPath } from '@clustral/schemas/discovery.ts';
import { startIdentityProvider } from '../../infra/embedded/identity-provider/identity-provider.ts';
import { makeLocalhostCertificate } from '../../infra/embedded/identity-provider/testing/certificate.ts';
import { exampleAccess } from './access-api.ts';
import { exampleApi, exampleState, guard, type ApiState } from './api.ts';

export type Installation = {
  readonly origin: string;
  /** Certificate of the server, which is its own CA, PEM. */
  readonly ca: string;
  readonly state: ApiState;
  /** What the identity provider was asked, e.g. `POST /realms/clustral/protocol/openid-connect/token`. */
  readonly providerCalls: string[];
  /** Answers the discovery document; a test may put a hostile one in its place. */
  discovery: (request: IncomingMessage, response: ServerResponse) => void;
  /** Access tokens issued before now are refused from now on. */
  refuseOldTokens(): void;
  close(): Promise<void>;
};

export async function startInstallation(): Promise<Installation> {
  const { key, certificate } = makeLocalhostCertificate(new Date());
  const folder = await mkdtemp(join(tmpdir(), 'clustral-cli-'));
  const state = exampleState();
  const server = createServer({ key, cert: certificate });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const issuer = `${origin}/realms/clustral`;
  const provider = await startIdentityProvider({
    issuer,
    dataFolder: join(folder, 'idp'),
    webRedirectUris: [`${origin}/api/auth/callback`],
    environment: {},
    warn: () => undefined,
  });
  const verify = tokenCheck(issuer, provider.url);
  const api = connectNodeAdapter({
    routes: (router) => {
      exampleApi(state)(router);
      exampleAccess(router, state);
    },
    interceptors: [guard(state, (token) => verify.check(token))],
  });
  const installation: Installation = {
    origin,
    ca: certificate,
    state,
    providerCalls: [],
    discovery: (_request, response) => answerJson(response, documentOf(origin)),
    refuseOldTokens: () => verify.refuseOld(),
    async close() {
      server.close();
      server.closeAllConnections();
      await provider.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    if (path.startsWith('/realms/')) installation.providerCalls.push(`${request.method} ${path}`);
    if (path.startsWith('/realms/')) passOn(request, response, provider.port);
    else if (path === discoveryPath) installation.discovery(request, response);
    else if (path.startsWith('/clustral.v1.')) api(request, response);
    else if (path === '/healthz/ready') answerJson(response, { status: 'ready' });
    else response.writeHead(404).end();
  });
  return installation;
}

/** The document of an honest installation. */
export function documentOf(origin: string): Record<string, unknown> {
  return {
    version: '0.1.0',
    controlPlaneUrl: origin,
    auditServiceUrl: `${origin}/audit-api`,
    oidcAuthority: `${origin}/realms/clustral`,
    oidcClientId: 'clustral-cli',
    oidcScopes: ['openid', 'profile', 'email', 'offline_access'],
  };
}

export function answerJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function tokenCheck(issuer: string, providerUrl: string) {
  let oldest = 0;
  return {
    refuseOld() {
      oldest = Math.floor(Date.now() / 1000) + 1;
    },
    async check(token: string): Promise<void> {
      const keys = await fetch(`${providerUrl}/protocol/openid-connect/certs`);
      const { payload } = await jwtVerify(token, createLocalJWKSet((await keys.json()) as never), {
        issuer,
        audience: 'clustral-control-plane',
      });
      if ((payload.iat ?? 0) < oldest) throw new Error('too old');
    },
  };
}

function passOn(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = request;
  const upstream = forward({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
}
