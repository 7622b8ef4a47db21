/**
 * What the gateway reads from its environment, checked as a whole before anything is opened. It refuses what would make
 * a token worth less: an issuer over plain HTTP, and any such relaxation in production (SC-01).
 */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
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
import type { KeyFiles } from '@clustral/kernel/keys.ts';
import type { ClaimPlaces } from './oidc-token.ts';
import { readRoleMapping } from './role-mapping.ts';
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
  /** Whose tokens are taken: first the issuer that people sign in at, then further ones. */
  readonly issuers: readonly [Issuer, ...Issuer[]];
  readonly audiences: readonly string[];
  readonly claimPlaces: ClaimPlaces;
  readonly internalKeys: KeyFiles;
  readonly kubeconfigPublicKeysPath: string;
  readonly proxyLimits: ProxyLimits;
  readonly trustedProxies: readonly string[];
  /** Certificates that identity providers and services are known by, PEM; the well-known ones when unset. */
  readonly trustedCas: readonly string[] | undefined;
};

export type Issuer = { readonly authority: string; readonly metadataAddress: string };

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
  OIDC_FURTHER_AUTHORITIES: list().default([]),
  OIDC_AUDIENCE: list().default(['clustral-control-plane']),
  OIDC_REQUIRE_HTTPS: flag().default(true),
  OIDC_ROLES_CLAIM: list().default(['realm_access.roles']),
  OIDC_GROUPS_CLAIM: list().default(['groups']),
  OIDC_ROLE_MAPPING: text().default('{}').transform(readRoleMapping),
  INTERNAL_JWT_PRIVATE_KEY_PATH: text(),
  INTERNAL_JWT_PUBLIC_KEY_PATH: text(),
  KUBECONFIG_JWT_PUBLIC_KEY_PATH: text(),
  PROXY_RATE_LIMITING_ENABLED: flag().default(true),
  PROXY_RATE_LIMITING_BURST_SIZE: integer(1, 100_000).default(200),
  PROXY_RATE_LIMITING_REQUESTS_PER_SECOND: integer(1, 100_000).default(100),
  PROXY_RATE_LIMITING_QUEUE_SIZE: integer(0, 10_000).default(50),
  TRUSTED_CA_PATH: text().optional(),
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
  const issuers = issuersOf(values);
  refuseProblems(values, issuers);
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
    issuers,
    audiences: values.OIDC_AUDIENCE,
    claimPlaces: {
      rolesClaims: values.OIDC_ROLES_CLAIM,
      groupsClaims: values.OIDC_GROUPS_CLAIM,
      roleMapping: values.OIDC_ROLE_MAPPING,
    },
    internalKeys: {
      privateKeyPath: readable('INTERNAL_JWT_PRIVATE_KEY_PATH', values.INTERNAL_JWT_PRIVATE_KEY_PATH),
      publicKeysPath: readable('INTERNAL_JWT_PUBLIC_KEY_PATH', values.INTERNAL_JWT_PUBLIC_KEY_PATH),
    },
    kubeconfigPublicKeysPath: readable('KUBECONFIG_JWT_PUBLIC_KEY_PATH', values.KUBECONFIG_JWT_PUBLIC_KEY_PATH),
    proxyLimits: {
      enabled: values.PROXY_RATE_LIMITING_ENABLED,
      burst: values.PROXY_RATE_LIMITING_BURST_SIZE,
      perSecond: values.PROXY_RATE_LIMITING_REQUESTS_PER_SECOND,
      queue: values.PROXY_RATE_LIMITING_QUEUE_SIZE,
    },
    trustedProxies: values.TRUSTED_PROXIES,
    trustedCas:
      values.TRUSTED_CA_PATH === undefined
        ? undefined
        : [...rootCertificates, read('TRUSTED_CA_PATH', values.TRUSTED_CA_PATH).toString()],
  };
}

function issuersOf(values: Values): GatewayConfig['issuers'] {
  const wellKnown = (authority: string): string => `${authority.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { OIDC_AUTHORITY: authority, OIDC_METADATA_ADDRESS, OIDC_FURTHER_AUTHORITIES } = values;
  return [
    { authority, metadataAddress: OIDC_METADATA_ADDRESS ?? wellKnown(authority) },
    ...OIDC_FURTHER_AUTHORITIES.map((further) => ({ authority: further, metadataAddress: wellKnown(further) })),
  ];
}

function refuseProblems(values: Values, issuers: readonly Issuer[]): void {
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
  problems.push(...problemsWithIssuers(issuers, values.OIDC_REQUIRE_HTTPS));
  if (values.OIDC_AUDIENCE.length === 0) problems.push('OIDC_AUDIENCE: it names no audience');
  if ((values.TLS_CERT_PATH === undefined) !== (values.TLS_KEY_PATH === undefined))
    problems.push('TLS_CERT_PATH, TLS_KEY_PATH: set both or none');
  problems.push(...problemWithNetworks(values.TRUSTED_PROXIES).map((problem) => `TRUSTED_PROXIES: ${problem}`));
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function problemsWithIssuers(issuers: readonly Issuer[], requireHttps: boolean): string[] {
  const mayBePlain = (url: URL): boolean => url.protocol === 'https:' || !requireHttps;
  return issuers.flatMap(({ authority, metadataAddress }, index) => {
    const name = index === 0 ? 'OIDC_AUTHORITY' : 'OIDC_FURTHER_AUTHORITIES';
    if (!isHttpUrl(authority)) return [`${name}: '${authority}' is not a URL`];
    if (!mayBePlain(new URL(authority)))
      return [`${name}: an issuer over plain http needs OIDC_REQUIRE_HTTPS=false, which is for trying out`];
    if (!isHttpUrl(metadataAddress)) return [`OIDC_METADATA_ADDRESS: '${metadataAddress}' is not a URL`];
    const metadata = new URL(metadataAddress);
    // What stays on this machine cannot be listened to: the embedded provider's own socket.
    if (mayBePlain(metadata) || isLoopback(metadata.hostname)) return [];
    return ['OIDC_METADATA_ADDRESS: keys over plain http are taken from loopback addresses only'];
  });
}

const isHttpUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

const isLoopback = (hostname: string): boolean => hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);

function tlsOf(values: Values): GatewayConfig['tls'] {
  if (values.TLS_CERT_PATH === undefined || values.TLS_KEY_PATH === undefined) return undefined;
  return { cert: read('TLS_CERT_PATH', values.TLS_CERT_PATH), key: read('TLS_KEY_PATH', values.TLS_KEY_PATH) };
}

/** These are read by whoever uses them, again and again (F-32): here is only seen that they are there. */
function readable(name: string, path: string): string {
  read(name, path);
  return path;
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigurationError([`${name}: cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`]);
  }
}
