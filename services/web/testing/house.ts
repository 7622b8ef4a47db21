/**
 * The web service where it stands in real life, for tests: the embedded identity provider and the gateway, both real, in front of it and
 * behind it, and a recording control plane at the far end that answers `GET /api/v1/users/me` as the real one does.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { internalTokenHeader } from '@clustral/schemas/tokens.ts';
import { start as startGateway } from '@clustral/gateway/main.ts';
import { startRecorder, type Recorder } from '@clustral/gateway/testing/recorder.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { createKeyPair } from '@clustral/kernel/x509.ts';
import {
  startIdentityProvider,
  type IdentityProvider,
} from '../../../infra/embedded/identity-provider/identity-provider.ts';
import { makeLocalhostCertificate } from '../../../infra/embedded/identity-provider/testing/certificate.ts';
import { freePorts } from '../../../infra/standalone/ports.ts';
import { start as startWeb } from '../main.ts';
import { openClient, until } from './client.ts';

export type House = {
  readonly origin: string;
  readonly ca: string;
  readonly folder: string;
  readonly controlPlane: Recorder;
  readonly audit: Recorder;
  /** Subjects that the control plane does not let in. */
  readonly disabled: Set<string>;
  /** Environment of the web service. */
  readonly environment: Readonly<Record<string, string>>;
  stopProvider(): Promise<void>;
  startProvider(): Promise<void>;
  /** Starts the web service anew, on the same data, with variables changed. */
  restartWeb(variables?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
};

/** The claims of the last request that reached the control plane. */
export function callerOf(recorder: Recorder): Record<string, unknown> {
  const [token = ''] = recorder.header(internalTokenHeader);
  return claimsOf(token);
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? 'e30', 'base64url').toString()) as Record<string, unknown>;

type Place = {
  readonly folder: string;
  readonly origin: string;
  readonly ports: Readonly<Record<'gateway' | 'web' | 'provider', number>>;
  /** Writes a file into the folder and gives its path. */
  readonly file: (name: string, text: string) => string;
};

async function newPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'clustral-web-'));
  const [gateway = 0, web = 0, provider = 0] = await freePorts(3);
  return {
    folder,
    origin: `https://localhost:${gateway}`,
    ports: { gateway, web, provider },
    file: (name, text) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    },
  };
}

/** Starts all of it; resolves when the gateway can tell who somebody is. */
export async function openHouse(): Promise<House> {
  const place = await newPlace();
  const { folder, origin, ports } = place;
  const edge = makeLocalhostCertificate(new Date());
  const [controlPlane, audit] = [await startRecorder('control-plane'), await startRecorder('audit')];
  const disabled = new Set<string>();
  answerMe(controlPlane, disabled);
  const environment = {
    CLUSTRAL_ENV: 'embedded',
    CLUSTRAL_DATA: folder,
    PORT: String(ports.web),
    PUBLIC_URL: origin,
    CONTROLPLANE_URL: origin,
    OIDC_AUTHORITY: `${origin}/realms/clustral`,
    OIDC_CLIENT_SECRET_FILE: join(folder, 'idp', 'web-client-secret'),
    TRUSTED_CA_PATH: place.file('edge-ca.crt', edge.certificate),
  };
  let web: Running = await startWeb(environment, silent);
  let provider = await startProvider(place);
  const gateway = await startGateway(await gatewayEnvironment(place, { edge, controlPlane, audit }), silent);
  const house: House = {
    origin,
    ca: edge.certificate,
    folder,
    controlPlane,
    audit,
    disabled,
    environment,
    stopProvider: () => provider.stop(),
    async startProvider() {
      provider = await startProvider(place);
    },
    async restartWeb(variables = {}) {
      await web.stop();
      web = await startWeb({ ...environment, ...variables }, silent);
    },
    async stop() {
      for (const part of [gateway, web, provider, controlPlane, audit]) await part.stop();
      rmSync(folder, { recursive: true });
    },
  };
  const guest = openClient(house);
  await until(async () => (await guest.get('/healthz/ready')).status === 200);
  return house;
}

const silent = createLog('test', 'silent');

function startProvider({ folder, origin, ports }: Place): Promise<IdentityProvider> {
  return startIdentityProvider({
    issuer: `${origin}/realms/clustral`,
    dataFolder: join(folder, 'idp'),
    port: ports.provider,
    webRedirectUris: [`${origin}/api/auth/callback`],
    environment: {},
    warn: () => undefined,
  });
}

type Behind = {
  readonly edge: { readonly key: string; readonly certificate: string };
  readonly controlPlane: Recorder;
  readonly audit: Recorder;
};

async function gatewayEnvironment(
  { origin, ports, file }: Place,
  { edge, controlPlane, audit }: Behind,
): Promise<Record<string, string>> {
  const [internal, kubeconfig] = [await createKeyPair('P-256'), await createKeyPair('P-256')];
  const provider = `http://127.0.0.1:${ports.provider}`;
  return {
    CLUSTRAL_ENV: 'embedded',
    PORT: String(ports.gateway),
    PUBLIC_URL: origin,
    TLS_CERT_PATH: file('edge.crt', edge.certificate),
    TLS_KEY_PATH: file('edge.key', edge.key),
    CONTROLPLANE_URL: controlPlane.url,
    AUDIT_SERVICE_URL: audit.url,
    WEB_URL: `http://127.0.0.1:${ports.web}`,
    IDENTITY_PROVIDER_URL: provider,
    OIDC_AUTHORITY: `${origin}/realms/clustral`,
    OIDC_METADATA_ADDRESS: `${provider}/realms/clustral/.well-known/openid-configuration`,
    INTERNAL_JWT_PRIVATE_KEY_PATH: file('internal.key', internal.privateKeyPem),
    INTERNAL_JWT_PUBLIC_KEY_PATH: file('internal.pub', internal.publicKeyPem),
    KUBECONFIG_JWT_PUBLIC_KEY_PATH: file('kubeconfig.pub', kubeconfig.publicKeyPem),
  };
}

function answerMe(controlPlane: Recorder, disabled: ReadonlySet<string>): void {
  const otherwise = controlPlane.answer;
  controlPlane.answer = (request, response) => {
    if (request.url !== '/api/v1/users/me') return otherwise(request, response);
    const claims = claimsOf(String(request.headers[internalTokenHeader]));
    const { sub, email, name, preferred_username: preferredUsername, roles } = claims;
    response.setHeader('content-type', 'application/json');
    if (disabled.has(String(preferredUsername))) {
      response.statusCode = 403;
      return void response.end(JSON.stringify({ detail: 'An administrator has disabled your account.' }));
    }
    const id = createHash('sha256').update(String(sub)).digest('hex').slice(0, 32);
    return void response.end(JSON.stringify({ user: { id, email, name, preferredUsername, roles }, access: [] }));
  };
}
