/**
 * The admin API as a person meets it, in one process and all of it real: gateway, control plane on its log, projections, audit. People
 * come with tokens of a provider that a test controls. For tests that ask who may do what, by every path there is.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { start as startAudit } from '@clustral/audit-service/main.ts';
import { start as startControlPlane } from '@clustral/control-plane/main.ts';
import { prepareInstallation } from '@clustral/control-plane/testing/installation.ts';
import { start as startGateway } from '@clustral/gateway/main.ts';
import { eventually, startSurroundings } from '@clustral/gateway/testing/gateway.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { start as startProjections } from '@clustral/projections/main.ts';
import { startEventStore } from '../../embedded/event-store/start.ts';

/** Somebody with an access token of the provider, and the id by which Clustral knows them once they have called. */
export type Somebody = { readonly sub: string; readonly roles: readonly string[]; readonly groups?: readonly string[] };

export type ApiAnswer = {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
};

export type Ask = {
  readonly method: string;
  /** As it goes out: nothing is normalised. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type AdminApi = {
  readonly port: number;
  /** PEM of the key that signs agent tokens. */
  readonly agentKeyPem: string;
  token(who: Somebody, claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** One request from an address of its own, so that many refusals are not one stranger's. */
  ask(what: Ask): Promise<ApiAnswer>;
  /** A call of somebody, by `METHOD /path`; it includes what the answers before it have written. Throws unless it succeeds. */
  done(who: Somebody, line: string, body?: object): Promise<Readonly<Record<string, unknown>>>;
  /** Log position of the newest fact that an answer told of. */
  position(): string;
  stop(): Promise<void>;
};

let people = 0;

/** Somebody new. */
export const somebody = (...roles: readonly string[]): Somebody => ({ sub: `person-${(people += 1)}`, roles });

/** Starts all of it. */
export async function startAdminApi(): Promise<AdminApi> {
  const folder = mkdtempSync(join(tmpdir(), 'admin-api-'));
  const log = createLog('admin-api', process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const eventStore = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const around = await startSurroundings();
  const { environment } = await prepareInstallation(join(folder, 'data'), eventStore.connectionString);
  const { INTERNAL_JWT_PUBLIC_KEY_PATH } = around.environment;
  const inside = { ...environment, INTERNAL_JWT_PUBLIC_KEY_PATH };
  const projections = await startProjections(inside, log);
  const controlPlane = await startControlPlane(inside, log);
  const audit = await startAudit({ ...inside, PORT: '0' }, log);
  const gateway = await startGateway(
    {
      ...around.environment,
      CONTROLPLANE_URL: `http://127.0.0.1:${controlPlane.port}`,
      AUDIT_SERVICE_URL: `http://127.0.0.1:${audit.port}`,
      KUBECONFIG_JWT_PUBLIC_KEY_PATH: environment['KUBECONFIG_JWT_PUBLIC_KEY_PATH'],
    },
    log,
  );
  const { port } = gateway;
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/healthz/ready`)).status === 200);
  let newest = 0n;
  const ask = async (what: Ask): Promise<ApiAnswer> => {
    const answer = await askAt(port, what);
    const position = BigInt(String(answer.headers['x-clustral-position'] ?? 0));
    if (position > newest) newest = position;
    return answer;
  };
  const token: AdminApi['token'] = (who, claims = {}) =>
    around.provider.token({
      sub: who.sub,
      email: `${who.sub}@corp.test`,
      preferred_username: who.sub,
      realm_access: { roles: [...who.roles] },
      groups: [...(who.groups ?? [])],
      ...claims,
    });
  return {
    port,
    agentKeyPem: readFileSync(String(environment['AGENT_JWT_PRIVATE_KEY_PATH']), 'utf8'),
    token,
    ask,
    async done(who, line, body) {
      const [method = 'GET', path = '/'] = line.split(' ');
      const answer = await ask({
        method,
        path,
        headers: {
          authorization: `Bearer ${await token(who)}`,
          'x-clustral-position': String(newest),
          ...jsonOf(body),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (answer.status >= 300) throw new Error(`${line} answered ${answer.status}: ${JSON.stringify(answer.json)}`);
      return answer.json;
    },
    position: () => String(newest),
    async stop() {
      await gateway.stop();
      await Promise.all([controlPlane.stop(), audit.stop()]);
      await Promise.all([projections.stop(), around.stop()]);
      await eventStore.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const jsonOf = (body: object | undefined): Record<string, string> =>
  body === undefined ? {} : { 'content-type': 'application/json' };

async function askAt(port: number, { method, path, body, headers }: Ask): Promise<ApiAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request(
    {
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: {
        'x-forwarded-for': anyAddress(),
        // Node would send the body of a DELETE without saying where it ends.
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      signal: AbortSignal.timeout(15_000),
    },
    resolve,
  );
  asked.on('error', reject);
  asked.end(body);
  const answer = await promise;
  const content = await text(answer);
  const isJson = answer.headers['content-type']?.includes('json') === true;
  return {
    status: answer.statusCode ?? 0,
    json: isJson && content !== '' ? (JSON.parse(content) as ApiAnswer['json']) : { text: content },
    headers: answer.headers,
  };
}

// 100::/64 leads nowhere (RFC 6666); each /64 of it is an address of its own to the limiter.
const anyAddress = (): string => `100:${randomUUID().slice(0, 4)}:${randomUUID().slice(0, 4)}::1`;
