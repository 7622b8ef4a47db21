/**
 * What an agent is told from outside: which cluster it speaks for, where its control plane is, where its identity lies, and the
 * API server it serves. Inside a pod only the first two and the first start's bootstrap token must be set. It refuses to run in
 * production by a person's kubeconfig, or with verification of the API server switched off (SC-01).
 */
import { existsSync, readFileSync } from 'node:fs';
import {
  clustralEnvironment,
  ConfigurationError,
  flag,
  integer,
  readConfig,
  refuseInProduction,
  seconds,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';
import { isUuid, parseClusterId, type ClusterId } from '@clustral/schemas/ids.ts';
import { KubeconfigError } from './kubeconfig-section.ts';
import { readKubeconfig } from './kubeconfig.ts';
import type { KubernetesConfig } from './kubernetes-config.ts';
import type { SecretName } from './secret-client.ts';

const inPod = '/var/run/secrets/kubernetes.io/serviceaccount';
const hour = 3_600;
const day = 24 * hour;

/** Durations are milliseconds. */
export type AgentConfig = {
  readonly clusterId: ClusterId;
  /** Scheme, host and port only. */
  readonly controlPlane: URL;
  /** The token as it stands now: a new one is taken without a restart. Undefined when there is none. */
  readonly bootstrapToken: () => string | undefined;
  /** Folder of the identity, where no Secret holds it. */
  readonly credentialPath: string;
  readonly credentialSecret: SecretName | undefined;
  /** Undefined when nobody asks whether it is well. */
  readonly healthPort: number | undefined;
  /** A file of CAs for first contact instead of the pin in the bootstrap token, PEM. */
  readonly caFile: string | undefined;
  readonly kubernetes: KubernetesConfig;
  readonly heartbeatIntervalMs: number;
  readonly certificateRenewThresholdMs: number;
  readonly tokenRenewThresholdMs: number;
  readonly renewalCheckIntervalMs: number;
};

const shape = {
  CLUSTRAL_ENV: clustralEnvironment(),
  AGENT_CLUSTER_ID: text(),
  AGENT_CONTROL_PLANE_URL: text(),
  AGENT_BOOTSTRAP_TOKEN: text().optional(),
  AGENT_CREDENTIAL_PATH: text().default('/var/lib/clustral'),
  AGENT_CREDENTIAL_SECRET: text().optional(),
  AGENT_HEALTH_PORT: integer(0, 65_535).optional(),
  AGENT_CA_FILE: text().optional(),
  AGENT_KUBECONFIG: text().optional(),
  AGENT_KUBERNETES_API_URL: text().optional(),
  AGENT_KUBERNETES_CA_PATH: text().default(`${inPod}/ca.crt`),
  AGENT_KUBERNETES_TOKEN_PATH: text().default(`${inPod}/token`),
  AGENT_KUBERNETES_SKIP_TLS_VERIFY: flag().default(false),
  AGENT_HEARTBEAT_INTERVAL: seconds('AGENT_HEARTBEAT_INTERVAL', 300).default(30),
  AGENT_CERT_RENEW_THRESHOLD: seconds('AGENT_CERT_RENEW_THRESHOLD', 395 * day).default(720 * hour),
  AGENT_JWT_RENEW_THRESHOLD: seconds('AGENT_JWT_RENEW_THRESHOLD', 30 * day).default(168 * hour),
  AGENT_RENEWAL_CHECK_INTERVAL: seconds('AGENT_RENEWAL_CHECK_INTERVAL', 30 * day).default(6 * hour),
};

/** Throws `ConfigurationError` that names every variable at fault. */
export function readAgentConfig(environment: Environment): AgentConfig {
  // The token's file may not be there yet, or not any more: it is read when it is needed.
  const { AGENT_BOOTSTRAP_TOKEN_FILE: tokenFile, ...others } = environment;
  const values = readConfig(others, shape);
  refuseInProduction(values.CLUSTRAL_ENV, {
    AGENT_KUBERNETES_SKIP_TLS_VERIFY: values.AGENT_KUBERNETES_SKIP_TLS_VERIFY,
    AGENT_KUBECONFIG: values.AGENT_KUBECONFIG !== undefined,
  });
  const problems: string[] = [];
  if (!isUuid(values.AGENT_CLUSTER_ID)) problems.push('AGENT_CLUSTER_ID: it is not the UUID of a cluster');
  const controlPlane = urlOf('AGENT_CONTROL_PLANE_URL', values.AGENT_CONTROL_PLANE_URL, problems);
  const credentialSecret = secretNameOf(values.AGENT_CREDENTIAL_SECRET, problems);
  const kubernetes = kubernetesOf(values, environment, problems);
  if (values.AGENT_CA_FILE !== undefined && !existsSync(values.AGENT_CA_FILE)) {
    problems.push(`AGENT_CA_FILE: there is no file ${values.AGENT_CA_FILE}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    clusterId: parseClusterId(values.AGENT_CLUSTER_ID),
    controlPlane,
    bootstrapToken: () => values.AGENT_BOOTSTRAP_TOKEN?.trim() || tokenIn(tokenFile),
    credentialPath: values.AGENT_CREDENTIAL_PATH,
    credentialSecret,
    healthPort: values.AGENT_HEALTH_PORT,
    caFile: values.AGENT_CA_FILE,
    kubernetes,
    heartbeatIntervalMs: values.AGENT_HEARTBEAT_INTERVAL * 1000,
    certificateRenewThresholdMs: values.AGENT_CERT_RENEW_THRESHOLD * 1000,
    tokenRenewThresholdMs: values.AGENT_JWT_RENEW_THRESHOLD * 1000,
    renewalCheckIntervalMs: values.AGENT_RENEWAL_CHECK_INTERVAL * 1000,
  };
}

type Values = ReturnType<typeof readConfig<typeof shape>>;

function kubernetesOf(values: Values, environment: Environment, problems: string[]): KubernetesConfig {
  const { AGENT_KUBECONFIG: kubeconfig, AGENT_KUBERNETES_API_URL: asked } = values;
  const pod: KubernetesConfig = {
    url: urlOf('AGENT_KUBERNETES_API_URL', asked ?? apiServerOfPod(environment), problems),
    ca: { path: values.AGENT_KUBERNETES_CA_PATH },
    token: { path: values.AGENT_KUBERNETES_TOKEN_PATH },
    clientCertificate: undefined,
    serverName: undefined,
    skipTlsVerify: values.AGENT_KUBERNETES_SKIP_TLS_VERIFY,
    trustedBy: 'AGENT_KUBERNETES_CA_PATH',
  };
  if (kubeconfig === undefined) return pod;
  if (asked !== undefined)
    problems.push('AGENT_KUBECONFIG: it names an API server, and so does AGENT_KUBERNETES_API_URL');
  try {
    return readKubeconfig(kubeconfig).kubernetes;
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    problems.push(`AGENT_KUBECONFIG: ${error.message}`);
    return pod;
  }
}

// Names of namespaces and Secrets (RFC 1123): what else stood there could lead to another path of the API.
const secretName = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

function secretNameOf(value: string | undefined, problems: string[]): SecretName | undefined {
  if (value === undefined) return undefined;
  const [, namespace, name] = secretName.exec(value) ?? [];
  if (namespace !== undefined && name !== undefined) return { namespace, name };
  problems.push(`AGENT_CREDENTIAL_SECRET: ${JSON.stringify(value.slice(0, 100))} is not of the form namespace/name`);
  return undefined;
}

function urlOf(name: string, value: string, problems: string[]): URL {
  const url = URL.parse(value);
  const isBare = url?.username === '' && url.pathname === '/' && url.search === '' && url.hash === '';
  if (url?.protocol === 'https:' && isBare) return url;
  problems.push(`${name}: ${JSON.stringify(value.slice(0, 100))} is not of the form https://host:port`);
  return new URL('https://unusable.invalid');
}

// As every Kubernetes client does: by address, so that it works without the cluster's DNS.
function apiServerOfPod({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' }: Environment): string {
  if (!host) return 'https://kubernetes.default.svc';
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function tokenIn(path: string | undefined): string | undefined {
  if (!path || !existsSync(path)) return undefined;
  return readFileSync(path, 'utf8').trim() || undefined;
}
