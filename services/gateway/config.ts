/**
 * What the gateway reads from its environment, checked as a whole before anything is opened. It refuses what would make
 * a token worth less: an issuer over plain HTTP, and any such relaxation in production (SC-01).
 */
import { readFileSync } from 'node:fs';
import {
  clustralEnvironment,
  ConfigurationError,
  flag,
  integer,
  list,
  readConfig,
  refuseInProduction,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';
import { problemWithNetworks } from './source-address.ts';

export type ProxyLimits = {
  readonly enabled: boolean;
  readonly burst: number;
  readonly perSecond: number;
  readonly queue: number;
};

export type GatewayConfig = {
  readonly environment: 'production' | 'embedded';
  readonly listenHost: string;
  readonly port: number;
  /** Origin under which people reach the gateway, e.g. `https://localhost:8443`. */
  readonly publicUrl: URL;
  readonly docsBaseUrl: string;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly upstreams: Upstreams;
  readonly oidc: {
    readonly authority: string;
    readonly metadataAddress: string;
    readonly audience: string;
    readonly rolesClaim: string;
    readonly groupsClaim: string;
  };
  readonly internalPrivateKeyPem: string;
  readonly internalPublicKeyPem: string;
  readonly kubeconfigPublicKeyPem: string;
  readonly proxyLimits: ProxyLimits;
  readonly trustedProxies: readonly string[];
};

/** Origins of the services behind the gateway. The identity provider is there in the embedded default only. */
export type Upstreams = {
  readonly controlPlane: string;
  readonly audit: string;
  readonly web: string;
  readonly identityProvider: string | undefined;
};

const shape = {
  CLUSTRAL_ENV: clustralEnvironment(),
  LISTEN_HOST: text().optional(),
  PORT: integer(0, 65_535).default(8080),
  PUBLIC_URL: text(),
  ERRORS_DOCS_BASE_URL: text().optional(),
  TLS_CERT_PATH: text().optional(),
  TLS_KEY_PATH: text().optional(),
  CONTROLPLANE_URL: text(),
  AUDIT_SERVICE_URL: text(),
  WEB_URL: text(),
  IDENTITY_PROVIDER_URL: text().optional(),
  OIDC_AUTHORITY: text(),
  OIDC_METADATA_ADDRESS: text().optional(),
  OIDC_AUDIENCE: text().default('clustral-control-plane'),
  OIDC_REQUIRE_HTTPS: flag().default(true),
  OIDC_ROLES_CLAIM: text().default('realm_access.roles'),
  OIDC_GROUPS_CLAIM: text().default('groups'),
  INTERNAL_JWT_PRIVATE_KEY_PATH: text(),
  INTERNAL_JWT_PUBLIC_KEY_PATH: text(),
  KUBECONFIG_JWT_PUBLIC_KEY_PATH: text(),
  PROXY_RATE_LIMITING_ENABLED: flag().default(true),
  PROXY_RATE_LIMITING_BURST_SIZE: integer(1, 100_000).default(200),
  PROXY_RATE_LIMITING_REQUESTS_PER_SECOND: integer(1, 100_000).default(100),
  PROXY_RATE_LIMITING_QUEUE_SIZE: integer(0, 10_000).default(50),
  TRUSTED_PROXIES: list().default(['127.0.0.0/8', '::1/128']),
};

type Values = ReturnType<typeof readConfig<typeof shape>>;

/** The gateway's configuration. Throws `ConfigurationError` that names every variable at fault. */
export function readGatewayConfig(environment: Environment): GatewayConfig {
  const values = readConfig(environment, shape);
  refuseInProduction(values.CLUSTRAL_ENV, {
    OIDC_REQUIRE_HTTPS: !values.OIDC_REQUIRE_HTTPS,
    IDENTITY_PROVIDER_URL: values.IDENTITY_PROVIDER_URL !== undefined,
  });
  const metadataAddress =
    values.OIDC_METADATA_ADDRESS ?? `${values.OIDC_AUTHORITY.replace(/\/$/, '')}/.well-known/openid-configuration`;
  refuseProblems(values, metadataAddress);
  const publicUrl = new URL(values.PUBLIC_URL);
  return {
    environment: values.CLUSTRAL_ENV,
    listenHost: values.LISTEN_HOST ?? (values.CLUSTRAL_ENV === 'embedded' ? '127.0.0.1' : '0.0.0.0'),
    port: values.PORT,
    publicUrl,
    docsBaseUrl: values.ERRORS_DOCS_BASE_URL ?? `${publicUrl.origin}/errors/`,
    tls: tlsOf(values),
    upstreams: {
      controlPlane: new URL(values.CONTROLPLANE_URL).origin,
      audit: new URL(values.AUDIT_SERVICE_URL).origin,
      web: new URL(values.WEB_URL).origin,
      identityProvider:
        values.IDENTITY_PROVIDER_URL === undefined ? undefined : new URL(values.IDENTITY_PROVIDER_URL).origin,
    },
    oidc: {
      authority: values.OIDC_AUTHORITY,
      metadataAddress,
      audience: values.OIDC_AUDIENCE,
      rolesClaim: values.OIDC_ROLES_CLAIM,
      groupsClaim: values.OIDC_GROUPS_CLAIM,
    },
    internalPrivateKeyPem: read('INTERNAL_JWT_PRIVATE_KEY_PATH', values.INTERNAL_JWT_PRIVATE_KEY_PATH).toString(),
    internalPublicKeyPem: read('INTERNAL_JWT_PUBLIC_KEY_PATH', values.INTERNAL_JWT_PUBLIC_KEY_PATH).toString(),
    kubeconfigPublicKeyPem: read('KUBECONFIG_JWT_PUBLIC_KEY_PATH', values.KUBECONFIG_JWT_PUBLIC_KEY_PATH).toString(),
    proxyLimits: {
      enabled: values.PROXY_RATE_LIMITING_ENABLED,
      burst: values.PROXY_RATE_LIMITING_BURST_SIZE,
      perSecond: values.PROXY_RATE_LIMITING_REQUESTS_PER_SECOND,
      queue: values.PROXY_RATE_LIMITING_QUEUE_SIZE,
    },
    trustedProxies: values.TRUSTED_PROXIES,
  };
}

function refuseProblems(values: Values, metadataAddress: string): void {
  const problems: string[] = [];
  const upstreams = [
    'PUBLIC_URL',
    'CONTROLPLANE_URL',
    'AUDIT_SERVICE_URL',
    'WEB_URL',
    'IDENTITY_PROVIDER_URL',
  ] as const;
  for (const name of upstreams) {
    const value = values[name];
    if (value !== undefined && !isHttpUrl(value)) problems.push(`${name}: '${value}' is not an http(s) URL`);
  }
  const mayBePlain = (url: URL): boolean => url.protocol === 'https:' || !values.OIDC_REQUIRE_HTTPS;
  if (!isHttpUrl(values.OIDC_AUTHORITY)) problems.push(`OIDC_AUTHORITY: '${values.OIDC_AUTHORITY}' is not a URL`);
  else if (!mayBePlain(new URL(values.OIDC_AUTHORITY)))
    problems.push('OIDC_AUTHORITY: an issuer over plain http needs OIDC_REQUIRE_HTTPS=false, which is for trying out');
  if (!isHttpUrl(metadataAddress)) problems.push(`OIDC_METADATA_ADDRESS: '${metadataAddress}' is not a URL`);
  // What stays on this machine cannot be listened to: the embedded provider's own socket.
  else if (!mayBePlain(new URL(metadataAddress)) && !isLoopback(new URL(metadataAddress).hostname))
    problems.push('OIDC_METADATA_ADDRESS: keys over plain http are taken from loopback addresses only');
  if ((values.TLS_CERT_PATH === undefined) !== (values.TLS_KEY_PATH === undefined))
    problems.push('TLS_CERT_PATH, TLS_KEY_PATH: set both or none');
  problems.push(...problemWithNetworks(values.TRUSTED_PROXIES).map((problem) => `TRUSTED_PROXIES: ${problem}`));
  if (problems.length > 0) throw new ConfigurationError(problems);
}

const isHttpUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

const isLoopback = (hostname: string): boolean => hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);

function tlsOf(values: Values): GatewayConfig['tls'] {
  if (values.TLS_CERT_PATH === undefined || values.TLS_KEY_PATH === undefined) return undefined;
  return { cert: read('TLS_CERT_PATH', values.TLS_CERT_PATH), key: read('TLS_KEY_PATH', values.TLS_KEY_PATH) };
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigurationError([`${name}: cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`]);
  }
}
