/**
 * What the gateway is to the identity provider, in small, for tests: ends TLS with a certificate made for the test and
 * forwards every request over loopback. Its address is known before the provider starts, as the issuer must be.
 */
import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeLocalhostCertificate } from './certificate.ts';

export type TlsFront = {
  /** `https://localhost:PORT` */
  readonly origin: string;
  /** The certificate to trust, PEM. */
  readonly ca: string;
  /** From now on requests go to this loopback port. */
  forwardTo(port: number): void;
  close(): Promise<void>;
};

export async function openTlsFront(): Promise<TlsFront> {
  const { key, certificate } = makeLocalhostCertificate(new Date());
  let target = 0;
  const server = createServer({ key, cert: certificate }, (incoming, outgoing) => {
    // Names itself as a careless proxy would; the provider must not care.
    const headers = { ...incoming.headers, 'x-forwarded-host': 'front.invalid', 'x-forwarded-proto': 'http' };
    const upstream = forward(
      { host: '127.0.0.1', port: target, method: incoming.method, path: incoming.url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://localhost:${port}`,
    ca: certificate,
    forwardTo(upstreamPort) {
      target = upstreamPort;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
