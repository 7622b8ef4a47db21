/** A browser without pages, for tests: it keeps cookies and follows nothing by itself. */
import { Agent, fetch, type Response } from 'undici';
import { signInWithForm } from '../../../infra/embedded/identity-provider/sign-in.ts';

export type Asked = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
};

/** A browser without pages: keeps cookies, follows no redirect, says which page it is on when it is told. */
export type Client = {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** As a script on a page of ours would. */
  post(path: string, asked?: Asked): Promise<Response>;
  /** Raw: exactly these headers and the cookies. */
  send(path: string, asked: Asked): Promise<Response>;
  /** From the sign-in's first address to the callback's answer. */
  signIn(username: string, returnTo?: string): Promise<Response>;
  /** The same without the last step: gives the address that the provider sends the browser back to. */
  untilCallback(username: string, returnTo?: string): Promise<URL>;
};

export function openClient(house: { readonly origin: string; readonly ca: string }): Client {
  const cookies = new Map<string, string>();
  const dispatcher = new Agent({ connect: { ca: house.ca } });
  const send = async (path: string, { method = 'GET', headers = {}, body }: Asked): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(`${house.origin}${path}`, {
      method,
      dispatcher,
      redirect: 'manual',
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of answer.headers.getSetCookie()) keep(cookies, line);
    return answer;
  };
  const client: Client = {
    cookies,
    send,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, { headers = {}, body = '' } = {}) =>
      send(path, {
        method: 'POST',
        headers: { origin: house.origin, 'sec-fetch-site': 'same-origin', ...headers },
        body,
      }),
    async untilCallback(username, returnTo = '/home') {
      const begun = await client.get(`/api/auth/sign-in?returnTo=${encodeURIComponent(returnTo)}`);
      const authorizationUrl = begun.headers.get('location') ?? '';
      return signInWithForm({ authorizationUrl, username, password: username, ca: house.ca });
    },
    async signIn(username, returnTo) {
      const callback = await client.untilCallback(username, returnTo);
      return client.get(`${callback.pathname}${callback.search}`);
    },
  };
  return client;
}

function keep(cookies: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (/;\s*max-age=0/i.test(line)) cookies.delete(name);
  else cookies.set(name, value);
}

/** A Connect call in JSON, as a page of ours makes it. */
export const rpc = (client: Client, method: string, body: object = {}): Promise<Response> =>
  client.post(`/app/rpc/clustral.v1.${method}`, {
    headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
    body: JSON.stringify(body),
  });

/** Waits for a condition; throws after five seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not come true within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
