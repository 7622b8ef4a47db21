/**
 * A browser without script, for programs that sign in as a person would: keeps cookies, follows redirects by hand, reads
 * the forms of a page. Trusts the given CA only; every walk has a deadline and a number of steps.
 */
import { Agent, fetch as undiciFetch } from 'undici';

export type Page = {
  readonly url: URL;
  readonly status: number;
  readonly location: URL | undefined;
  readonly html: string;
};

export type Form = {
  readonly action: URL;
  readonly fields: ReadonlyMap<string, string>;
  readonly inputs: ReadonlySet<string>;
};

export type BrowserOptions = {
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | Buffer;
  /** Sends the requests instead, for example through a proxy; `ca` is then its business. */
  readonly fetch?: typeof globalThis.fetch;
  /** For everything this browser does together; 15 s by default. */
  readonly timeoutMs?: number;
};

export type Browser = {
  get(url: URL): Promise<Page>;
  post(url: URL, fields: ReadonlyMap<string, string>): Promise<Page>;
  close(): Promise<void>;
};

type Cookie = {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
};

const maxPageLength = 256 * 1024;

export function openBrowser(options: BrowserOptions): Browser {
  const agent = new Agent(options.ca === undefined ? {} : { connect: { ca: options.ca } });
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 15_000);
  const jar = new Map<string, Cookie>();
  const request =
    options.fetch ?? ((url, init) => undiciFetch(url as string, { ...init, dispatcher: agent } as never) as never);

  const send = async (url: URL, form?: string): Promise<Page> => {
    const headers = { accept: 'text/html', cookie: cookiesFor(jar, url) };
    const content = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
    const what = form === undefined ? { method: 'GET', headers } : { method: 'POST', headers: content, body: form };
    const response = await request(url.href, { ...what, redirect: 'manual', signal: deadline });
    for (const line of response.headers.getSetCookie()) keepCookie(jar, url, line);
    const html = await response.text();
    if (html.length > maxPageLength) throw new Error(`${url.origin}${url.pathname} is no page of ours: too long`);
    const location = response.headers.get('location');
    return { url, status: response.status, location: location === null ? undefined : new URL(location, url), html };
  };
  return {
    get: (url) => send(url),
    post: (url, fields) => send(url, new URLSearchParams([...fields]).toString()),
    close: () => agent.close(),
  };
}

/** The first form of a page: its fields as they stand, and its first button as if that one was pressed. */
export function firstForm(page: Page): Form | undefined {
  const [, tag, content] = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(page.html) ?? [];
  if (tag === undefined || content === undefined) return undefined;
  const fields = new Map<string, string>();
  const inputs = new Set<string>();
  let pressed = false;
  for (const [, kind, attributes] of content.matchAll(/<(input|button)\b([^>]*)>/gi)) {
    const name = attribute(attributes, 'name');
    const type = attribute(attributes, 'type') ?? (kind === 'button' ? 'submit' : 'text');
    if (type === 'submit') {
      if (!pressed && name !== undefined) fields.set(name, attribute(attributes, 'value') ?? '');
      pressed = true;
    } else if (name !== undefined) {
      inputs.add(name);
      const value = attribute(attributes, 'value');
      if (value !== undefined && type !== 'checkbox') fields.set(name, value);
    }
  }
  return { action: new URL(attribute(tag, 'action') ?? '', page.url), fields, inputs };
}

/** What a page says: its alert if there is one, else its heading or title. */
export function saidBy(page: Page): string {
  const found =
    /role="alert"[^>]*>([\s\S]*?)</i.exec(page.html) ??
    /<h1\b[^>]*>([\s\S]*?)<\/h1>/i.exec(page.html) ??
    /<title>([\s\S]*?)<\/title>/i.exec(page.html);
  return unescape((found?.[1] ?? '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

function keepCookie(jar: Map<string, Cookie>, url: URL, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const at = pair.indexOf('=');
  const named = new Map(
    attributes.map((part) => [part.split('=')[0]?.toLowerCase() ?? '', part.split('=').slice(1).join('=')]),
  );
  const path = named.get('path') ?? '/';
  const name = pair.slice(0, at);
  const key = `${url.hostname} ${path} ${name}`;
  const expires = named.get('expires');
  if (named.get('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now())) jar.delete(key);
  else jar.set(key, { name, value: pair.slice(at + 1), host: url.hostname, path, secure: named.has('secure') });
}

/** RFC 6265 5.4: host, path and scheme decide, the longest path first. Like browsers, loopback counts as secure. */
function cookiesFor(jar: Map<string, Cookie>, url: URL): string {
  const trusted = url.protocol === 'https:' || url.hostname === 'localhost' || url.hostname === '127.0.0.1';
  return [...jar.values()]
    .filter(({ host, path, secure }) => host === url.hostname && covers(path, url.pathname) && (trusted || !secure))
    .toSorted((a, b) => b.path.length - a.path.length)
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ');
}

function covers(cookiePath: string, path: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}

function attribute(tag: string | undefined, name: string): string | undefined {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag ?? '');
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : unescape(value);
}

function unescape(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (...[whole, decimal, hex, name]: string[]) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return named[name?.toLowerCase() ?? ''] ?? whole ?? '';
  });
}
