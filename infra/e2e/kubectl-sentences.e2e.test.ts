/**
 * What a person sees (D20): for every refusal that can reach kubectl, the exact words of four kubectl versions for a read, a write and
 * a log, as they were looked at and kept in `golden/kubectl-sentences.json`. Discovery works, as it does when kubectl has asked
 * before and for whoever has no role; the answers are made by the one function that makes them on the path to a cluster.
 * `GOLDEN=write npm run e2e -- kubectl-sentences` writes the file anew, to be read before it is committed.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInDiscovery } from '@clustral/control-plane/proxy/discovery.ts';
import { kubernetesAnswer } from '@clustral/kernel/kubernetes-answer.ts';
import { errorCatalogue, Refusal, type ErrorCode } from '@clustral/schemas/errors.ts';
import { errorHelp } from '@clustral/web/error-help.ts';
import { kubectl, type KubectlVersion } from './parts/kubectl.ts';

const versions: readonly KubectlVersion[] = ['1.22', '1.27', '1.31', '1.35'];

/** Codes of the path to a cluster: gateway, control plane, tunnel and agent. */
const codes: readonly ErrorCode[] = [
  'NO_ROLE_ASSIGNMENT',
  'FORBIDDEN',
  'CLUSTER_MISMATCH',
  'IMPERSONATION_NOT_ALLOWED',
  'RESERVED_USER_NAME',
  'USER_NAME_TAKEN',
  'CLUSTER_NOT_FOUND',
  'INVALID_CLUSTER_ID',
  'INVALID_PATH',
  'BAD_REQUEST',
  'REQUEST_TOO_LARGE',
  'RATE_LIMITED',
  'AGENT_NOT_CONNECTED',
  'TUNNEL_TIMEOUT',
  'TUNNEL_ERROR',
  'AGENT_ERROR',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_TIMEOUT',
  'STORE_UNAVAILABLE',
  'INTERNAL_ERROR',
];

/** Code → act → version of kubectl → what it prints. */
type Golden = Record<string, Record<string, Record<string, string>>>;

const goldenFile = join(import.meta.dirname, 'golden', 'kubectl-sentences.json');
const isWriting = process.env['GOLDEN'] === 'write';
const golden = (isWriting ? {} : JSON.parse(readFileSync(goldenFile, 'utf8'))) as Golden;
const seen: Golden = {};

let server: Server;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sentences-'));
  server = createServer((request, response) => {
    // /api/proxy/{code}/…: the code stands where the cluster's id does.
    const [, , , code = '', ...rest] = (request.url ?? '').split('/');
    const known = builtInDiscovery(request.method ?? '', `/${rest.join('/')}`);
    if (known !== undefined) return void response.writeHead(200, { 'content-type': 'application/json' }).end(known);
    const refusal = new Refusal(code as ErrorCode, errorHelp[code as ErrorCode].example);
    const context = { docsBaseUrl: 'https://clustral.example/errors/', correlationId: 'c0ffee' };
    const { status, headers, body } = kubernetesAnswer(refusal, context, request);
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server?.close();
  server?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
  if (isWriting) writeFileSync(goldenFile, `${JSON.stringify(seen, null, 2)}\n`);
});

const acts = { read: ['get', 'ns'], write: ['create', 'configmap', 'x'], log: ['logs', 'x'] } as const;

/** What kubectl prints on stderr. */
async function printed(version: KubectlVersion, code: ErrorCode, act: keyof typeof acts): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const place = ['--server', `http://127.0.0.1:${port}/api/proxy/${code}`, '--cache-dir', join(folder, version, code)];
  const environment = { HOME: folder, PATH: process.env['PATH'] };
  const run = promisify(execFile)(kubectl(version), [...acts[act], ...place], { env: environment, timeout: 60_000 });
  return run.then(
    () => expect.unreachable('kubectl was content'),
    (failed: { stderr: string }) => failed.stderr.trim(),
  ) as Promise<string>;
}

describe.each(codes)('%s', (code) => {
  it.each(versions)('is said once by kubectl %s, in our words', async (version) => {
    for (const act of Object.keys(acts) as (keyof typeof acts)[]) {
      const stderr = await printed(version, code, act);
      const { example } = errorHelp[code];
      expect(stderr.split(example), stderr).toHaveLength(2);
      expect(stderr.toLowerCase()).not.toContain('unknown');
      expect(stderr.split('\n')).toHaveLength(1);
      ((seen[code] ??= {})[act] ??= {})[version] = stderr;
      if (!isWriting) expect(stderr).toBe(golden[code]?.[act]?.[version]);
    }
  });
});

it('no code that is refused before a cluster is left out', () => {
  const others = (Object.keys(errorCatalogue) as ErrorCode[]).filter((code) => !codes.includes(code));
  // 401: kubectl never shows its body; the plugin's own sentence is shown instead. The rest belongs to the API and to agents.
  expect(others.filter((code) => errorCatalogue[code].http === 502 || errorCatalogue[code].http === 504)).toEqual([]);
});
