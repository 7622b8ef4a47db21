/**
 * The embedded identity provider: a small OpenID Connect provider (oidc-provider) with Keycloak's path names, tokens and
 * clients, for trying Clustral out with nothing else installed. Three known accounts with known passwords: it listens on
 * loopback only, says what it is when it starts, and refuses to run in production.
 *
 * It is reached through the gateway (`/realms/*`); every address it names is the issuer's.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DatabaseSync } from 'node:sqlite';
import Provider from 'oidc-provider';
import { openAccounts } from './accounts.ts';
import { openArtifacts } from './artifacts.ts';
import { installRedirectRules } from './clients.ts';
import { deviceFlow } from './device-flow.ts';
import { renderError } from './error-page.ts';
import { installPages } from './page-routes.ts';
import { providerConfiguration } from './provider-configuration.ts';
import { arriveAtIssuer } from './public-origin.ts';
import { readOrMakeSecrets } from './secrets.ts';
import { signOut } from './sign-out.ts';
import { openStore } from './store.ts';
import { userinfoPath } from './userinfo.ts';

export type IdentityProviderOptions = {
  /** The public issuer, for example `https://localhost:8443/realms/clustral`: no slash at the end. */
  readonly issuer: string;
  /** Made 0700; holds the database and `web-client-secret`, the secret of the client `clustral-web`. */
  readonly dataFolder: string;
  /** 0 or none: a free port. */
  readonly port?: number;
  readonly listenHost?: '127.0.0.1' | '::1';
  /** The exact callback addresses of `clustral-web`. */
  readonly webRedirectUris: readonly string[];
  readonly now?: () => Date;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Takes the banner and unexpected errors, a line each; standard error by default. */
  readonly warn?: (line: string) => void;
};

export type IdentityProvider = {
  /** Where it listens, path included: `http://127.0.0.1:PORT/realms/clustral`. Metadata may be fetched from here. */
  readonly url: string;
  readonly port: number;
  /** Lets requests under way finish for at most 2 s, then closes everything. */
  stop(): Promise<void>;
};

const sweepEveryMs = 60_000;
const stopGraceMs = 2_000;

/** Starts the provider. Throws under `CLUSTRAL_ENV=production`, for a host that is not loopback, a bad issuer, a taken port. */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const warn = options.warn ?? ((line: string) => console.error(line));
  const now = options.now ?? (() => new Date());
  const issuer = checkOptions(options);
  const database = openStore(options.dataFolder);
  try {
    const { provider, sweep } = await buildProvider(database, issuer, { ...options, now, warn });
    const server = createHttpServer(provider, issuer);
    await listen(server, options);
    sweep();
    const sweeper = setInterval(sweep, sweepEveryMs).unref();
    warn(banner(options.issuer));
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://${hostText(options)}:${port}${issuer.pathname}`,
      port,
      async stop() {
        clearInterval(sweeper);
        await close(server);
        database.close();
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkOptions(options: IdentityProviderOptions): URL {
  if ((options.environment ?? process.env)['CLUSTRAL_ENV'] === 'production') {
    throw new Error(
      'The embedded identity provider does not run with CLUSTRAL_ENV=production: its accounts and passwords are public. ' +
        'Set OIDC_AUTHORITY to your own identity provider.',
    );
  }
  const host: string = options.listenHost ?? '127.0.0.1';
  if (host !== '127.0.0.1' && host !== '::1') {
    throw new Error(
      `The embedded identity provider listens on loopback only, not on ${host}; the gateway forwards to it.`,
    );
  }
  const issuer = URL.parse(options.issuer);
  if (issuer === null || !/^https?:$/.test(issuer.protocol) || !/^(?:\/[\w.-]+)+$/.test(issuer.pathname)) {
    throw new Error(
      `The issuer must be an http(s) address with a path and no slash at its end, got '${options.issuer}'.`,
    );
  }
  return issuer;
}

type Running = IdentityProviderOptions & { readonly now: () => Date; readonly warn: (line: string) => void };

async function buildProvider(
  database: DatabaseSync,
  issuer: URL,
  options: Running,
): Promise<{ provider: Provider; sweep: () => void }> {
  const [accounts, secrets] = await Promise.all([
    openAccounts(database, options.now),
    readOrMakeSecrets(database, options.dataFolder),
  ]);
  const artifacts = openArtifacts(database, options.now);
  const mountPath = issuer.pathname;
  const provider = new Provider(
    options.issuer,
    providerConfiguration({
      mountPath,
      secureCookies: issuer.protocol === 'https:',
      userinfoEndpoint: `${options.issuer}${userinfoPath}`,
      webRedirectUris: options.webRedirectUris,
      secrets,
      accounts,
      adapter: (model) => artifacts.adapter(model),
      now: options.now,
      pages: {
        deviceFlow: deviceFlow(`${mountPath}/device`),
        signOut: signOut(`${mountPath}/protocol/openid-connect/logout/confirm`, mountPath),
        renderError,
      },
    }),
  );
  provider.proxy = true;
  installRedirectRules(provider);
  // oidc-provider reads a client when it is first used: a bad callback address shall fail the start, not a sign-in.
  await Promise.all(['clustral-cli', 'clustral-web', 'someone-else'].map((id) => provider.Client.find(id)));
  installPages({ provider, accounts, mountPath, signingKeys: secrets.signingKeys });
  const report = (error: Error): void => options.warn(`identity provider: ${error.stack ?? error.message}`);
  provider.on('server_error', (_ctx, error) => report(error));
  provider.onerror = (error: Error & { expose?: boolean }) => {
    if (error.expose !== true) report(error);
  };
  return { provider, sweep: () => artifacts.sweep() };
}

function createHttpServer(provider: Provider, issuer: URL): Server {
  const handle = provider.callback();
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
    (request: IncomingMessage, response: ServerResponse) => {
      if (arriveAtIssuer(request, issuer)) {
        void handle(request, response);
        return;
      }
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(`Nothing here: the identity provider answers below ${issuer.pathname}/ only.\n`);
    },
  );
  server.maxConnections = 512;
  return server;
}

function listen(server: Server, options: IdentityProviderOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.listenHost ?? '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function hostText(options: IdentityProviderOptions): string {
  return options.listenHost === '::1' ? '[::1]' : '127.0.0.1';
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const force = setTimeout(() => server.closeAllConnections(), stopGraceMs);
  await closed;
  clearTimeout(force);
}

function banner(issuer: string): string {
  return (
    `identity provider: FOR TRYING OUT ONLY. ${issuer} signs in admin, dev and auditor, each with its own name as ` +
    'password. Anybody who can reach it can be anybody: use your own identity provider (OIDC_AUTHORITY) for anything real.'
  );
}
