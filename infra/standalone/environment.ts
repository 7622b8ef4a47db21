/**
 * The environment of every part of the embedded default, by the product's flat names: what a compose file would say, for
 * one machine. It holds paths and addresses, never a secret.
 */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@clustral/kernel/config.ts';
import type { PartName } from './parts.ts';

/** Every port of the installation. All but `gateway` and `tunnel` are free ones chosen at start. */
export type Ports = Readonly<
  Record<'gateway' | 'tunnel' | 'controlPlane' | 'audit' | 'web' | 'identityProvider' | 'demoCluster', number>
>;

export type Installation = {
  readonly dataFolder: string;
  readonly ports: Ports;
  readonly demoClusterId: string;
  /** The dashboard's build, when it is not the one of this clone. */
  readonly uiFolder?: string;
  /** By which agents on other machines reach the tunnel; undefined when none do. */
  readonly tunnelHost?: string | undefined;
  /** The cluster that a person brought. */
  readonly local?: { readonly clusterId: string; readonly kubeconfig: string };
};

/** Where the files of the installation are. */
export function paths(dataFolder: string): Readonly<Record<keyof typeof files, string>> {
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(dataFolder, file)])) as Record<
    keyof typeof files,
    string
  >;
}

const files = {
  caCertificate: 'ca/ca.crt',
  caKey: 'ca/ca.key',
  internalPrivate: 'keys/internal-jwt.key',
  internalPublic: 'keys/internal-jwt.pub',
  kubeconfigPrivate: 'keys/kubeconfig-jwt.key',
  kubeconfigPublic: 'keys/kubeconfig-jwt.pub',
  agentPrivate: 'keys/agent-jwt.key',
  agentPublic: 'keys/agent-jwt.pub',
  bootstrapTokenKey: 'keys/bootstrap-token.key',
  serviceAccountToken: 'keys/demo-service-account.token',
  edgeCertificate: 'tls/edge.crt',
  edgeKey: 'tls/edge.key',
  edgeCa: 'tls/edge-ca.crt',
  demoCertificate: 'tls/demo-cluster.crt',
  demoKey: 'tls/demo-cluster.key',
  demoCa: 'tls/demo-cluster-ca.crt',
  webClientSecret: 'idp/web-client-secret',
  seed: 'seed.json',
  agentBootstrapToken: 'agent/bootstrap-token',
  agentIdentity: 'agent/identity',
  localAgentBootstrapToken: 'agent/local-bootstrap-token',
  localAgentIdentity: 'agent/local-identity',
} as const;

const longestSocketPath = 100;

/** A socket path over 100 bytes does not fit the kernel's address: it goes to a folder of its own in the temporary folder. */
export function eventStoreSocket(dataFolder: string): string {
  const socket = join(dataFolder, 'event-store', 'es.sock');
  if (Buffer.byteLength(socket) <= longestSocketPath) return socket;
  const short = createHash('sha256').update(dataFolder).digest('hex').slice(0, 16);
  return join(tmpdir(), `clustral-${process.getuid?.() ?? 0}-${short}`, 'es.sock');
}

type Facts = Installation & {
  readonly at: ReturnType<typeof paths>;
  readonly publicUrl: string;
  readonly issuer: string;
  readonly common: Environment;
  readonly log: Environment;
};

/** Of every part, but of `local-agent` only for a cluster that a person brought. */
export type Environments = Readonly<Record<Exclude<PartName, 'local-agent'>, Environment>> & {
  readonly 'local-agent'?: Environment;
};

/** The environment of each part that runs. */
export function environments(installation: Installation): Environments {
  const { dataFolder, ports } = installation;
  const publicUrl = `https://localhost:${ports.gateway}`;
  const facts: Facts = {
    ...installation,
    at: paths(dataFolder),
    publicUrl,
    issuer: `${publicUrl}/realms/clustral`,
    common: { CLUSTRAL_ENV: 'embedded', CLUSTRAL_DATA: dataFolder, PUBLIC_URL: publicUrl, LISTEN_HOST: '127.0.0.1' },
    log: { EVENTSTORE_CONNECTION_STRING: `unix:${eventStoreSocket(dataFolder)}` },
  };
  const { common, log, at, issuer } = facts;
  return {
    'event-store': { ...common, ...log },
    'identity-provider': { ...common, PORT: String(ports.identityProvider), OIDC_AUTHORITY: issuer },
    'demo-cluster': {
      ...common,
      PORT: String(ports.demoCluster),
      TLS_CERT_PATH: at.demoCertificate,
      TLS_KEY_PATH: at.demoKey,
      SERVICE_ACCOUNT_TOKEN_FILE: at.serviceAccountToken,
    },
    'control-plane': controlPlane(facts),
    projections: { ...common, ...log },
    audit: { ...common, PORT: String(ports.audit), INTERNAL_JWT_PUBLIC_KEY_PATH: at.internalPublic },
    web: {
      ...common,
      PORT: String(ports.web),
      CONTROLPLANE_URL: publicUrl,
      CONTROLPLANE_PUBLIC_URL: publicUrl,
      AUDIT_SERVICE_PUBLIC_URL: `${publicUrl}/audit-api`,
      OIDC_AUTHORITY: issuer,
      OIDC_CLI_CLIENT_ID: 'clustral-cli',
      OIDC_CLIENT_SECRET_FILE: at.webClientSecret,
      TRUSTED_CA_PATH: at.edgeCa,
      ...(installation.uiFolder !== undefined && { WEB_UI_PATH: installation.uiFolder }),
    },
    gateway: gateway(facts),
    agent: demoAgent(facts),
    ...(facts.local && { 'local-agent': localAgent(facts, facts.local) }),
  };
}

const local = (port: number): string => `http://127.0.0.1:${port}`;

function controlPlane({ common, log, ports, at, tunnelHost }: Facts): Environment {
  return {
    ...common,
    ...log,
    PORT: String(ports.controlPlane),
    TUNNEL_HOST: tunnelHost === undefined ? '127.0.0.1' : '0.0.0.0',
    TUNNEL_PORT: String(ports.tunnel),
    TUNNEL_SERVER_NAMES: ['localhost', '127.0.0.1', ...(tunnelHost === undefined ? [] : [tunnelHost])].join(','),
    CA_CERT_PATH: at.caCertificate,
    CA_KEY_PATH: at.caKey,
    INTERNAL_JWT_PUBLIC_KEY_PATH: at.internalPublic,
    KUBECONFIG_JWT_PRIVATE_KEY_PATH: at.kubeconfigPrivate,
    KUBECONFIG_JWT_PUBLIC_KEY_PATH: at.kubeconfigPublic,
    AGENT_JWT_PRIVATE_KEY_PATH: at.agentPrivate,
    AGENT_JWT_PUBLIC_KEY_PATH: at.agentPublic,
    BOOTSTRAP_TOKEN_KEY_PATH: at.bootstrapTokenKey,
    SEED_PATH: at.seed,
  };
}

function gateway({ common, ports, at, issuer }: Facts): Environment {
  return {
    ...common,
    PORT: String(ports.gateway),
    TLS_CERT_PATH: at.edgeCertificate,
    TLS_KEY_PATH: at.edgeKey,
    CONTROLPLANE_URL: local(ports.controlPlane),
    AUDIT_SERVICE_URL: local(ports.audit),
    WEB_URL: local(ports.web),
    IDENTITY_PROVIDER_URL: local(ports.identityProvider),
    OIDC_AUTHORITY: issuer,
    OIDC_METADATA_ADDRESS: `${local(ports.identityProvider)}/realms/clustral/.well-known/openid-configuration`,
    OIDC_AUDIENCE: 'clustral-control-plane',
    INTERNAL_JWT_PRIVATE_KEY_PATH: at.internalPrivate,
    INTERNAL_JWT_PUBLIC_KEY_PATH: at.internalPublic,
    KUBECONFIG_JWT_PUBLIC_KEY_PATH: at.kubeconfigPublic,
  };
}

const tunnelUrl = (port: number): string => `https://localhost:${port}`;

function demoAgent({ common, ports, at, demoClusterId }: Facts): Environment {
  return {
    ...common,
    AGENT_CLUSTER_ID: demoClusterId,
    AGENT_CONTROL_PLANE_URL: tunnelUrl(ports.tunnel),
    AGENT_BOOTSTRAP_TOKEN_FILE: at.agentBootstrapToken,
    AGENT_CREDENTIAL_PATH: at.agentIdentity,
    AGENT_KUBERNETES_API_URL: `https://127.0.0.1:${ports.demoCluster}`,
    AGENT_KUBERNETES_CA_PATH: at.demoCa,
    AGENT_KUBERNETES_TOKEN_PATH: at.serviceAccountToken,
  };
}

function localAgent(
  { common, ports, at }: Facts,
  { clusterId, kubeconfig }: NonNullable<Installation['local']>,
): Environment {
  return {
    ...common,
    AGENT_CLUSTER_ID: clusterId,
    AGENT_CONTROL_PLANE_URL: tunnelUrl(ports.tunnel),
    AGENT_BOOTSTRAP_TOKEN_FILE: at.localAgentBootstrapToken,
    AGENT_CREDENTIAL_PATH: at.localAgentIdentity,
    AGENT_KUBECONFIG: kubeconfig,
  };
}
