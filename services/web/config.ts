/**
 * What the web service reads from its environment, checked as a whole. It refuses what would make the session's cookie or a person's
 * tokens worth less: a public address or an issuer over plain http, and any such relaxation in production (SC-01).
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import {
  clustralEnvironment,
  ConfigurationError,
  flag,
  integer,
  list,
  readConfig,
  refuseInProduction,
  seconds,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';

export type WebConfig = {
  readonly listenHost: string;
  readonly port: number;
  readonly publicUrl: URL;
  readonly docsBaseUrl: string;
  /** What the discovery document says. */
  readonly discovery: {
    readonly controlPlaneUrl: string;
    readonly auditServiceUrl: string;
    readonly oidcAuthority: string;
    readonly oidcClientId: string;
  };
  /** The gateway, inside: its origin, and the path of the audit there. */
  readonly gateway: { readonly origin: string; readonly auditPath: string };
  readonly oidc: {
    readonly authority: string;
    readonly clientId: string;
    /** Throws in words when there is none. */
    readonly clientSecret: () => string;
  };
  /** CAs to trust, or the system's alone. */
  readonly ca: string[] | undefined;
  readonly trustedProxies: string[];
  /** Folder of this service alone. */
  readonly dataFolder: string;
  readonly sessionKeyPath: string | undefined;
  readonly sessionLifeMs: number;
  readonly sessionIdleMs: number;
  /** Folder of the dashboard's build. */
  readonly uiFolder: string;
};

const day = 86_400;
const builtUi = join(import.meta.dirname, '..', '..', 'ui', 'dist');

const shape = {
  CLUSTRAL_ENV: clustralEnvironment(),
  LISTEN_HOST: text().optional(),
  PORT: integer(0, 65_535).default(3000),
  PUBLIC_URL: text(),
  ERRORS_DOCS_BASE_URL: text().optional(),
  CLUSTRAL_DATA: text(),
  CONTROLPLANE_URL: text(),
  AUDIT_SERVICE_URL: text().optional(),
  CONTROLPLANE_PUBLIC_URL: text().optional(),
  AUDIT_SERVICE_PUBLIC_URL: text().optional(),
  OIDC_AUTHORITY: text(),
  OIDC_REQUIRE_HTTPS: flag().default(true),
  OIDC_CLIENT_ID: text().default('clustral-web'),
  OIDC_CLIENT_SECRET: text().optional(),
  OIDC_CLI_CLIENT_ID: text().default('clustral-cli'),
  TRUSTED_CA_PATH: text().optional(),
  TRUSTED_PROXIES: list().default(['127.0.0.0/8', '::1/128']),
  WEB_SESSION_KEY_PATH: text().optional(),
  WEB_SESSION_TTL: seconds('WEB_SESSION_TTL', 30 * day).default(28_800),
  WEB_SESSION_IDLE_TTL: seconds('WEB_SESSION_IDLE_TTL', 30 * day).default(3_600),
  WEB_UI_PATH: text().default(builtUi),
};

type Values = ReturnType<typeof readConfig<typeof shape>>;

/** The web service's configuration. Throws `ConfigurationError` that names every variable at fault. */
export function readWebConfig(environment: Environment): WebConfig {
  // In the embedded default the provider writes this file while we start: it is read when somebody signs in.
  const { OIDC_CLIENT_SECRET_FILE: secretFile, ...others } = environment;
  const values = readConfig(others, shape);
  refuseInProduction(values.CLUSTRAL_ENV, { OIDC_REQUIRE_HTTPS: !values.OIDC_REQUIRE_HTTPS });
  const secret = values.OIDC_CLIENT_SECRET;
  refuseProblems(values, secret !== undefined || secretFile !== undefined);
  const publicUrl = new URL(values.PUBLIC_URL);
  const auditServiceUrl = values.AUDIT_SERVICE_URL ?? `${new URL(values.CONTROLPLANE_URL).origin}/audit-api`;
  return {
    listenHost: values.LISTEN_HOST ?? (values.CLUSTRAL_ENV === 'embedded' ? '127.0.0.1' : '0.0.0.0'),
    port: values.PORT,
    publicUrl,
    docsBaseUrl: values.ERRORS_DOCS_BASE_URL ?? `${publicUrl.origin}/errors/`,
    discovery: {
      controlPlaneUrl: values.CONTROLPLANE_PUBLIC_URL ?? publicUrl.origin,
      auditServiceUrl: values.AUDIT_SERVICE_PUBLIC_URL ?? `${publicUrl.origin}/audit-api`,
      oidcAuthority: values.OIDC_AUTHORITY,
      oidcClientId: values.OIDC_CLI_CLIENT_ID,
    },
    gateway: {
      origin: new URL(values.CONTROLPLANE_URL).origin,
      auditPath: new URL(auditServiceUrl).pathname.replace(/\/$/, ''),
    },
    oidc: {
      authority: values.OIDC_AUTHORITY,
      clientId: values.OIDC_CLIENT_ID,
      clientSecret: () => secret ?? readFileSync(secretFile ?? '', 'utf8').trimEnd(),
    },
    ca: values.TRUSTED_CA_PATH === undefined ? undefined : [...rootCertificates, readCa(values.TRUSTED_CA_PATH)],
    trustedProxies: values.TRUSTED_PROXIES,
    dataFolder: join(values.CLUSTRAL_DATA, 'web'),
    sessionKeyPath: values.WEB_SESSION_KEY_PATH,
    sessionLifeMs: values.WEB_SESSION_TTL * 1_000,
    sessionIdleMs: values.WEB_SESSION_IDLE_TTL * 1_000,
    uiFolder: values.WEB_UI_PATH,
  };
}

function refuseProblems(values: Values, hasSecret: boolean): void {
  const urls = [
    'PUBLIC_URL',
    'CONTROLPLANE_URL',
    'AUDIT_SERVICE_URL',
    'CONTROLPLANE_PUBLIC_URL',
    'AUDIT_SERVICE_PUBLIC_URL',
    'OIDC_AUTHORITY',
  ] as const;
  const problems = urls
    .filter((name) => values[name] !== undefined && !isHttpUrl(values[name]))
    .map((name) => `${name}: '${values[name]}' is not an http(s) URL`);
  if (/^http:/i.test(values.PUBLIC_URL))
    problems.push('PUBLIC_URL: it must begin with https: browsers keep the cookie of a session for nothing else');
  if (/^http:/i.test(values.OIDC_AUTHORITY) && values.OIDC_REQUIRE_HTTPS)
    problems.push('OIDC_AUTHORITY: an issuer over plain http needs OIDC_REQUIRE_HTTPS=false, which is for trying out');
  if (!hasSecret) problems.push('OIDC_CLIENT_SECRET: neither it nor OIDC_CLIENT_SECRET_FILE is set');
  for (const network of values.TRUSTED_PROXIES)
    if (!isNetwork(network)) problems.push(`TRUSTED_PROXIES: '${network}' is not a network`);
  if (problems.length > 0) throw new ConfigurationError(problems);
}

const isHttpUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);

/** An address, or a network in CIDR form. */
function isNetwork(network: string): boolean {
  const [address = '', prefix, ...rest] = network.split('/');
  const longest = isIP(address) === 4 ? 32 : 128;
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest);
  return isIP(address) !== 0 && isPrefix && rest.length === 0;
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigurationError([`TRUSTED_CA_PATH: cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`]);
  }
}
