/** What the web service reads from its environment: only public addresses, no secret. */
import {
  clustralEnvironment,
  ConfigurationError,
  integer,
  readConfig,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';

export type WebConfig = {
  readonly listenHost: string;
  readonly port: number;
  readonly publicUrl: URL;
  readonly docsBaseUrl: string;
  readonly controlPlaneUrl: string;
  readonly auditServiceUrl: string;
  readonly oidcAuthority: string;
  readonly oidcClientId: string;
};

const shape = {
  CLUSTRAL_ENV: clustralEnvironment(),
  LISTEN_HOST: text().optional(),
  PORT: integer(0, 65_535).default(3000),
  PUBLIC_URL: text(),
  ERRORS_DOCS_BASE_URL: text().optional(),
  CONTROLPLANE_PUBLIC_URL: text().optional(),
  AUDIT_SERVICE_PUBLIC_URL: text().optional(),
  OIDC_AUTHORITY: text(),
  OIDC_CLI_CLIENT_ID: text().default('clustral-cli'),
};

/** The web service's configuration. Throws `ConfigurationError` that names every variable at fault. */
export function readWebConfig(environment: Environment): WebConfig {
  const values = readConfig(environment, shape);
  const urls = ['PUBLIC_URL', 'CONTROLPLANE_PUBLIC_URL', 'AUDIT_SERVICE_PUBLIC_URL', 'OIDC_AUTHORITY'] as const;
  const problems = urls
    .filter((name) => values[name] !== undefined && !isHttpUrl(values[name]))
    .map((name) => `${name}: '${values[name]}' is not an http(s) URL`);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const publicUrl = new URL(values.PUBLIC_URL);
  return {
    listenHost: values.LISTEN_HOST ?? (values.CLUSTRAL_ENV === 'embedded' ? '127.0.0.1' : '0.0.0.0'),
    port: values.PORT,
    publicUrl,
    docsBaseUrl: values.ERRORS_DOCS_BASE_URL ?? `${publicUrl.origin}/errors/`,
    controlPlaneUrl: values.CONTROLPLANE_PUBLIC_URL ?? publicUrl.origin,
    auditServiceUrl: values.AUDIT_SERVICE_PUBLIC_URL ?? `${publicUrl.origin}/audit-api`,
    oidcAuthority: values.OIDC_AUTHORITY,
    oidcClientId: values.OIDC_CLI_CLIENT_ID,
  };
}

const isHttpUrl = (value: string): boolean => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
