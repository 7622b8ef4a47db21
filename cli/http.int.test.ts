/** Discovery against servers that mean no good (ID-11). */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLocalhostCertificate } from '../infra/embedded/identity-provider/testing/certificate.ts';
import { discover } from './http.ts';
import { answerJson, documentOf } from './testing/installation.ts';

const { key, certificate } = makeLocalhostCertificate(new Date());
type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer;
let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer({ key, cert: certificate }, (request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `https://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const ask = () => discover(new URL(origin), [certificate]);
const json =
  (change: () => Record<string, unknown>): Answer =>
  (_request, response) =>
    answerJson(response, { ...documentOf(origin), ...change() });
const bytes =
  (type: string, body: () => Buffer, headers = {}): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': type, ...headers }).end(body());

describe('the discovery document', () => {
  it('of an honest server is read, and no more than it should say', async () => {
    answer = json(() => ({ extra: 'x', controlPlaneUrl: `${origin}/` }));
    expect(await ask()).toEqual({ ...documentOf(origin), controlPlaneUrl: origin });
  });

  it.each<[string, Answer, string]>([
    ['an identity provider without TLS', json(() => ({ oidcAuthority: 'http://localhost:1/realms/x' })), 'without TLS'],
    ['another server for the API', json(() => ({ controlPlaneUrl: 'https://evil.example' })), 'names another server'],
    ['the API without TLS', json(() => ({ controlPlaneUrl: origin.replace('https', 'http') })), 'names another server'],
    ['a script for an address', json(() => ({ oidcAuthority: 'javascript:alert(1)' })), 'is not an http(s) URL'],
    ['no address', json(() => ({ controlPlaneUrl: undefined })), "'controlPlaneUrl' is missing"],
    ['a redirect', (_request, response) => void response.writeHead(302, { location: origin }).end(), 'answered 302'],
    ['a page', bytes('text/html', () => Buffer.from('<h1>Hotel</h1>')), 'no JSON'],
    ['broken JSON', bytes('application/json', () => Buffer.from('{')), 'no JSON'],
  ])('with %s is refused', async (...[, given, words]) => {
    answer = given;
    await expect(ask()).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining(words) });
  });

  it.each<[string, Answer]>([
    ['of 100 MB', bytes('application/json', () => Buffer.alloc(100_000_000, ' '))],
    [
      'that unpacks to 100 MB',
      bytes('application/json', () => gzipSync(Buffer.alloc(100_000_000, ' ')), { 'content-encoding': 'gzip' }),
    ],
    [
      'that breaks off',
      (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy()),
    ],
  ])('%s is not read to its end', async (_what, given) => {
    answer = given;
    await expect(ask()).rejects.toMatchObject({
      exitCode: 7,
      message: expect.stringContaining('cannot read the discovery document'),
    });
  });

  it('is not asked for where another certificate is shown', async () => {
    answer = json(() => ({}));
    const other = makeLocalhostCertificate(new Date()).certificate;
    await expect(discover(new URL(origin), [other])).rejects.toMatchObject({
      exitCode: 7,
      fix: expect.stringContaining('--ca-file'),
    });
  });
});
