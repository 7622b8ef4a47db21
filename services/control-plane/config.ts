/**
 * What the control plane reads from its environment, checked as a whole before anything is opened. Keys come as files;
 * a file of public keys may hold several while one is being replaced (F-32).
 */
import { readFileSync } from 'node:fs';
import { placeOf, type ReadModelsPlace } from '@clustral/projections/place.ts';
import {
  clustralEnvironment,
  ConfigurationError,
  integer,
  list,
  readConfig,
  refuseInProduction,
  seconds,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';
import type { KeyFiles } from '@clustral/kernel/keys.ts';

export type ControlPlaneConfig = {
  readonly listenHost: string;
  readonly port: number;
  readonly docsBaseUrl: string;
  readonly eventStore: string;
  readonly dataFolder: string;
  readonly readModels: ReadModelsPlace;
  readonly tunnel: { readonly host: string; readonly port: number; readonly serverNames: readonly string[] };
  readonly certificateAuthority: { readonly certificatesPem: string; readonly privateKeyPem: string };
  readonly internalPublicKeysPath: string;
  readonly kubeconfigKeys: KeyFiles;
  readonly agentKeys: KeyFiles;
  readonly bootstrapTokenKeys: string;
  readonly credentialTtl: { readonly defaultSeconds: number; readonly maxSeconds: number };
  readonly accessLimits: {
    readonly defaultSeconds: number;
    readonly maxSeconds: number;
    readonly decidableSeconds: number;
  };
  /** How long records of proxied requests are kept in the log (D26). */
  readonly keepProxiedSeconds: number;
  /** How long an API server may take to begin its answer (D5). */
  readonly headTimeoutMs: number;
  readonly nameRule: {
    readonly emailTrustedIssuers: readonly string[];
    readonly subjectNamedIssuers: readonly string[];
  };
  readonly seedPath: string | undefined;
};

const day = 86_400;
const longestCredential = day;
const longestAccess = 30 * day;
const defaultAccess = 3_600;
const longestHeadTimeout = 3_600;
const longestRetention = 3_650 * day;

const shape = {
  CLUSTRAL_ENV: clustralEnvironment(),
  PUBLIC_URL: text(),
  ERRORS_DOCS_BASE_URL: text().optional(),
  LISTEN_HOST: text().optional(),
  PORT: integer(0, 65_535).default(5100),
  TUNNEL_HOST: text().optional(),
  TUNNEL_PORT: integer(0, 65_535).default(5443),
  TUNNEL_SERVER_NAMES: list().default(['localhost', '127.0.0.1']),
  EVENTSTORE_CONNECTION_STRING: text(),
  CLUSTRAL_DATA: text(),
  MONGO_CONNECTION_STRING: text().optional(),
  MONGO_DATABASE_NAME: text().default('clustral'),
  CA_CERT_PATH: text(),
  CA_KEY_PATH: text(),
  INTERNAL_JWT_PUBLIC_KEY_PATH: text(),
  KUBECONFIG_JWT_PRIVATE_KEY_PATH: text(),
  KUBECONFIG_JWT_PUBLIC_KEY_PATH: text(),
  AGENT_JWT_PRIVATE_KEY_PATH: text(),
  AGENT_JWT_PUBLIC_KEY_PATH: text(),
  BOOTSTRAP_TOKEN_KEY_PATH: text(),
  CREDENTIAL_DEFAULT_TTL: seconds('CREDENTIAL_DEFAULT_TTL', longestCredential).optional(),
  CREDENTIAL_MAX_TTL: seconds('CREDENTIAL_MAX_TTL', longestCredential).default(28_800),
  ACCESS_DEFAULT_DURATION: seconds('ACCESS_DEFAULT_DURATION', longestAccess).optional(),
  ACCESS_MAX_DURATION: seconds('ACCESS_MAX_DURATION', longestAccess).default(day),
  ACCESS_REQUEST_TTL: seconds('ACCESS_REQUEST_TTL', longestAccess).default(3_600),
  PROXY_RETENTION: seconds('PROXY_RETENTION', longestRetention).default(90 * day),
  PROXY_TUNNEL_TIMEOUT: seconds('PROXY_TUNNEL_TIMEOUT', longestHeadTimeout).default(120),
  OIDC_EMAIL_TRUSTED_ISSUERS: list().default([]),
  OIDC_SUBJECT_NAMED_ISSUERS: list().default([]),
  SEED_PATH: text().optional(),
};

/** The configuration. Throws `ConfigurationError` that names every variable at fault. */
export function readControlPlaneConfig(environment: Environment): ControlPlaneConfig {
  const values = readConfig(environment, shape);
  refuseInProduction(values.CLUSTRAL_ENV, { SEED_PATH: values.SEED_PATH !== undefined });
  const problems: string[] = [];
  const file = fileReader(problems);
  const anyAddress = values.CLUSTRAL_ENV === 'embedded' ? '127.0.0.1' : '0.0.0.0';
  const maxSeconds = values.CREDENTIAL_MAX_TTL;
  const defaultSeconds = values.CREDENTIAL_DEFAULT_TTL ?? maxSeconds;
  if (defaultSeconds > maxSeconds) problems.push('CREDENTIAL_DEFAULT_TTL: it is longer than CREDENTIAL_MAX_TTL');
  const longestGrant = values.ACCESS_MAX_DURATION;
  const usualGrant = values.ACCESS_DEFAULT_DURATION ?? Math.min(defaultAccess, longestGrant);
  if (usualGrant > longestGrant) problems.push('ACCESS_DEFAULT_DURATION: it is longer than ACCESS_MAX_DURATION');
  if (!URL.canParse(values.PUBLIC_URL)) problems.push(`PUBLIC_URL: '${values.PUBLIC_URL}' is not a URL`);
  const config: ControlPlaneConfig = {
    listenHost: values.LISTEN_HOST ?? anyAddress,
    port: values.PORT,
    docsBaseUrl: values.ERRORS_DOCS_BASE_URL ?? `${values.PUBLIC_URL.replace(/\/$/, '')}/errors/`,
    eventStore: values.EVENTSTORE_CONNECTION_STRING,
    dataFolder: values.CLUSTRAL_DATA,
    readModels: placeOf(values),
    tunnel: {
      host: values.TUNNEL_HOST ?? anyAddress,
      port: values.TUNNEL_PORT,
      serverNames: values.TUNNEL_SERVER_NAMES,
    },
    certificateAuthority: {
      certificatesPem: file('CA_CERT_PATH', values.CA_CERT_PATH),
      privateKeyPem: file('CA_KEY_PATH', values.CA_KEY_PATH),
    },
    internalPublicKeysPath: values.INTERNAL_JWT_PUBLIC_KEY_PATH,
    kubeconfigKeys: {
      privateKeyPath: values.KUBECONFIG_JWT_PRIVATE_KEY_PATH,
      publicKeysPath: values.KUBECONFIG_JWT_PUBLIC_KEY_PATH,
    },
    agentKeys: {
      privateKeyPath: values.AGENT_JWT_PRIVATE_KEY_PATH,
      publicKeysPath: values.AGENT_JWT_PUBLIC_KEY_PATH,
    },
    bootstrapTokenKeys: file('BOOTSTRAP_TOKEN_KEY_PATH', values.BOOTSTRAP_TOKEN_KEY_PATH),
    credentialTtl: { defaultSeconds, maxSeconds },
    accessLimits: {
      defaultSeconds: usualGrant,
      maxSeconds: longestGrant,
      decidableSeconds: values.ACCESS_REQUEST_TTL,
    },
    keepProxiedSeconds: values.PROXY_RETENTION,
    headTimeoutMs: values.PROXY_TUNNEL_TIMEOUT * 1000,
    nameRule: {
      emailTrustedIssuers: values.OIDC_EMAIL_TRUSTED_ISSUERS,
      subjectNamedIssuers: values.OIDC_SUBJECT_NAMED_ISSUERS,
    },
    seedPath: values.SEED_PATH,
  };
  for (const name of tokenKeyFiles) file(name, values[name]);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return config;
}

type ReadFile = (variable: string, path: string) => string;

function fileReader(problems: string[]): ReadFile {
  return (variable, path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      problems.push(`${variable}: cannot read ${path} (${(cause as NodeJS.ErrnoException).code})`);
      return '';
    }
  };
}

/** These are read by whoever uses them, again and again (F-32): here is only seen that they are there. */
const tokenKeyFiles = [
  'INTERNAL_JWT_PUBLIC_KEY_PATH',
  'KUBECONFIG_JWT_PRIVATE_KEY_PATH',
  'KUBECONFIG_JWT_PUBLIC_KEY_PATH',
  'AGENT_JWT_PRIVATE_KEY_PATH',
  'AGENT_JWT_PUBLIC_KEY_PATH',
] as const;
