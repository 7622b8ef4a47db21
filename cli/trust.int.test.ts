import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLocalhostCertificate } from '../infra/embedded/identity-provider/testing/certificate.ts';
import { caOfFirstContact, fingerprint, readCaFile, serverCas } from './trust.ts';

const timeoutMs = 5_000;
const { key, certificate } = makeLocalhostCertificate(new Date());
let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer({ key, cert: certificate });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

const here = (): URL => new URL(`https://localhost:${port}`);
/** The same server under an address that is not loopback by name: nobody vouches for what answers there. */
const elsewhere = (): URL => new URL(`https://0.0.0.0:${port}`);

describe('the first contact with a server that shows a CA of its own', () => {
  it('on this machine takes the CA', async () => {
    expect(await caOfFirstContact({ url: here(), timeoutMs })).toBe(certificate);
  });

  it('elsewhere refuses it and names the two ways to trust it', async () => {
    await expect(caOfFirstContact({ url: elsewhere(), timeoutMs })).rejects.toMatchObject({
      exitCode: 7,
      message: expect.stringContaining('is not trusted'),
      fix: expect.stringMatching(/--ca-file FILE, or --ca-pin SHA256/),
    });
  });

  it.each([
    ['as it is printed', (print: string) => print],
    ['without colons, in lower case', (print: string) => print.replaceAll(':', '').toLowerCase()],
  ])('anywhere takes the CA with the pinned fingerprint %s', async (_how, write) => {
    expect(await caOfFirstContact({ url: elsewhere(), timeoutMs, pin: write(fingerprint(certificate)) })).toBe(
      certificate,
    );
  });

  it('even on this machine refuses one with another fingerprint', async () => {
    const pin = fingerprint(makeLocalhostCertificate(new Date()).certificate);
    await expect(caOfFirstContact({ url: here(), timeoutMs, pin })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(fingerprint(certificate)),
    });
  });

  it('fails as a network failure when nobody answers', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port: closed } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    await expect(caOfFirstContact({ url: new URL(`https://localhost:${closed}`), timeoutMs })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});

describe('the CAs of a server', () => {
  it('are the named one alone, or what the machine trusts', () => {
    expect(serverCas(certificate)).toEqual([certificate]);
    expect(serverCas(undefined).length).toBeGreaterThan(10);
    expect(serverCas(undefined)).not.toContain(certificate);
  });

  it('come from no file that holds no certificate', () => {
    expect(() => readCaFile(import.meta.filename)).toThrow('holds no certificate in PEM');
    expect(() => readCaFile('/does/not/exist')).toThrow('ENOENT');
  });
});
