/**
 * A site that is not ours, for tests of what it can do to somebody who is signed in to the product: the same pages on two other origins of
 * this machine, and a count of who was led there.
 *
 * `/call?target=ORIGIN` tries by script all that a page may send elsewhere, `/form?target=ORIGIN` posts a form that looks like JSON,
 * `/frame?target=URL` puts a page into a frame. Each writes into its title what it could do.
 */
import { createServer as createPlain, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeLocalhostCertificate } from '../../embedded/identity-provider/testing/certificate.ts';

export type StrangeSite = {
  /** Another port of the product's own host: the same site to a browser, another origin. */
  readonly sameSite: string;
  /** Another host: another site. */
  readonly crossSite: string;
  /** The certificate that a browser must trust to see the first of the two. */
  readonly certificate: string;
  /** Requests for paths that begin with `/stolen`. */
  readonly visits: string[];
  stop(): Promise<void>;
};

export async function startStrangeSite(): Promise<StrangeSite> {
  const visits: string[] = [];
  const answer: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://strange.invalid');
    if (pathname.startsWith('/stolen')) visits.push(pathname);
    response.setHeader('content-type', 'text/html');
    response.end(pages[pathname]?.(searchParams.get('target') ?? '') ?? '<!doctype html><title>strange</title>');
  };
  const { key, certificate } = makeLocalhostCertificate(new Date());
  const servers = [createServer({ key, cert: certificate }, answer), createPlain(answer)] as const;
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [secure, plain] = servers.map((server) => (server.address() as AddressInfo).port);
  return {
    sameSite: `https://localhost:${secure}`,
    crossSite: `http://127.0.0.1:${plain}`,
    certificate,
    visits,
    async stop() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

const command = '/app/rpc/clustral.v1.RoleService/CreateRole';
const wish = '{"name":"forged","k8sGroups":["system:masters"]}';

const pages: Readonly<Record<string, (target: string) => string>> = {
  '/call': (target) => `<!doctype html><title>trying</title><script type="module">
    const target = ${JSON.stringify(target)};
    const send = (path, init) => fetch(target + path, { credentials: 'include', ...init }).then((answer) => answer.text(), () => 'nothing');
    const post = (init) => send('${command}', { method: 'POST', body: '${wish}', ...init });
    const read = [
      await post({ mode: 'no-cors', headers: { 'content-type': 'text/plain' } }),
      await post({ mode: 'no-cors' }),
      await post({ headers: { 'content-type': 'application/json' } }),
      await send('/api/auth/sign-out', { method: 'POST', mode: 'no-cors' }),
      await send('/api/auth/session'),
      await send('/api/audit/api/v1/audit', { mode: 'no-cors' }),
    ];
    document.title = 'read ' + (read.filter((text) => text !== 'nothing' && text !== '').join() || 'nothing');
  </script>`,
  '/form': (target) => `<!doctype html><title>form</title>
    <form method="post" enctype="text/plain" action="${target}${command}">
      <input name='{"name":"forged","k8sGroups":["system:masters"],"description":"' value='"}'>
    </form>
    <script>document.forms[0].submit()</script>`,
  '/frame': (target) => `<!doctype html><title>trying</title><iframe src="${target}"></iframe>
    <script>document.querySelector('iframe').addEventListener('load', () => { document.title = 'framed'; })</script>`,
};
