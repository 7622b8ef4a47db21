/**
 * The loopback address to which the browser brings the answer of a sign-in (RFC 8252 7.3). It takes one `GET /callback` with the expected state and
 * answers everything else with an error without giving up: other programs and pages can reach the port too (ID-10).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The answer that came, and the way to tell the person in the browser how it ended. */
export type Callback = { readonly url: URL; tell(page: { ok: boolean; title: string; text: string }): Promise<void> };

export type CallbackListener = {
  /** `http://127.0.0.1:PORT/callback`. */
  readonly redirectUri: string;
  /** The one callback with that state; rejects with `late` after `limitMs`. */
  wait(options: { state: string; limitMs: number; late: Error }): Promise<Callback>;
  close(): void;
};

/** Listens on a port of the kernel's choice; bound when this resolves. */
export async function listenForCallback(): Promise<CallbackListener> {
  const { promise, resolve, reject } = Promise.withResolvers<Callback>();
  // Nobody may be waiting yet, or any more.
  promise.catch(() => undefined);
  let state: string | undefined;
  let taken = false;
  const server = createServer(
    { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000 },
    (request, response) => {
      const url = URL.parse(request.url ?? '', originOf(server));
      const problem = problemOf(request, url, originOf(server));
      if (problem !== undefined || url === null) return refuse(response, problem ?? 404);
      if (taken || !isExpected(url.searchParams.get('state'), state)) return refuse(response, 400);
      taken = true;
      resolve({ url, tell: (page) => answer(response, page) });
    },
  );
  server.maxConnections = 32;
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', listening);
  });
  return {
    redirectUri: `${originOf(server)}/callback`,
    wait({ state: expected, limitMs, late }) {
      state = expected;
      const timer = setTimeout(() => reject(late), limitMs);
      return promise.finally(() => clearTimeout(timer));
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function isExpected(state: string | null, expected: string | undefined): boolean {
  if (state === null || expected === undefined) return false;
  const [got, wanted] = [state, expected].map((text) => createHash('sha256').update(text).digest());
  return got !== undefined && wanted !== undefined && timingSafeEqual(got, wanted);
}

/** The status with which a request is refused that cannot be the callback. */
function problemOf(request: IncomingMessage, url: URL | null, origin: string): number | undefined {
  // Another Host is a page that made its own name point here.
  if (url === null || url.origin !== origin || `http://${request.headers.host}` !== origin) return 400;
  if (url.pathname !== '/callback') return 404;
  return request.method === 'GET' ? undefined : 405;
}

function refuse(response: ServerResponse, status: number): void {
  response
    .writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' })
    .end('This is not the answer that clustral waits for.\n');
}

function answer(response: ServerResponse, page: { ok: boolean; title: string; text: string }): Promise<void> {
  return new Promise((resolve) => {
    // The browser may have gone; that changes nothing for the sign-in.
    response.once('close', resolve);
    response
      .writeHead(page.ok ? 200 : 400, { ...headers, 'content-type': 'text/html; charset=utf-8' })
      .end(html(page), () => resolve());
  });
}

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};

function html({ title, text }: { title: string; text: string }): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem}h1{font-size:1.5rem}</style>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char] ?? '');
