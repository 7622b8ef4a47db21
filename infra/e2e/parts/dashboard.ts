/**
 * The whole product with a browser in front of it and a strange site beside it, for tests of what stands between the dashboard and
 * everybody else. The dashboard is a page of one line here, which shows who is signed in.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Cookie, Page } from 'playwright';
import { launchBrowser, signInAt } from './browser.ts';
import { newPlace, startProduct, type Product } from './product.ts';
import { startStrangeSite, type StrangeSite } from './strange-site.ts';

export const sessionCookie = '__Host-clustral-session';

export type Stage = {
  readonly product: Product;
  readonly strange: StrangeSite;
  /** A page of a browser that nobody has used. */
  newPage(): Promise<Page>;
  /** A page on which somebody is signed in. */
  pageOf(username: string): Promise<Page>;
  /** Closes all pages. */
  clear(): Promise<void>;
  stop(): Promise<void>;
};

export async function openStage(): Promise<Stage> {
  const uiFolder = makeUi();
  const [product, strange] = await Promise.all([startProduct({ ...(await newPlace()), uiFolder }), startStrangeSite()]);
  const browser: Browser = await launchBrowser({ trust: [product.caPem(), strange.certificate] });
  const contexts: BrowserContext[] = [];
  const newPage = async (): Promise<Page> => {
    const context = await browser.newContext();
    contexts.push(context);
    return context.newPage();
  };
  return {
    product,
    strange,
    newPage,
    async pageOf(username) {
      const page = await newPage();
      await signInAt(page, product, { username });
      await page.locator('#who', { hasText: '@' }).waitFor();
      return page;
    },
    async clear() {
      for (const context of contexts.splice(0)) await context.close();
    },
    async stop() {
      await browser.close();
      await strange.stop();
      await product.stop();
      rmSync(uiFolder, { recursive: true });
    },
  };
}

function makeUi(): string {
  const folder = mkdtempSync(join(tmpdir(), 'clustral-ui-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><html lang="en"><title>Clustral</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/app-1.css"><p id="who">…</p><script type="module" src="/assets/app-1.js"></script>',
  );
  writeFileSync(join(folder, 'assets', 'app-1.css'), 'p { color: rgb(1, 2, 3) }');
  writeFileSync(
    join(folder, 'assets', 'app-1.js'),
    "const answer = await fetch('/api/auth/session'); document.getElementById('who').textContent = answer.ok ? (await answer.json()).user.email : 'nobody';",
  );
  return folder;
}

export type Asked = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
};

export type Answer = {
  readonly status: number;
  readonly caching: string | null;
  readonly json: Readonly<Record<string, unknown>>;
};

/** A script of the page asks; gives what it gets to see. */
export const asking = (page: Page, path: string, asked: Asked = {}): Promise<Answer> =>
  page.evaluate(
    async ([target, options]) => {
      const answer = await fetch(target, options);
      const text = await answer.text();
      return {
        status: answer.status,
        caching: answer.headers.get('cache-control'),
        json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
      };
    },
    [path, asked] as const,
  );

/** A script of the page makes a Connect call in JSON. */
export const calling = (page: Page, method: string, body: object = {}): Promise<Answer> =>
  asking(page, callPath(method), callOf(body));

export const callPath = (method: string): string => `/app/rpc/clustral.v1.${method}`;

export const callOf = (body: object, headers: Record<string, string> = {}): Asked => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const sessionCookieOf = async (page: Page, { url }: Product): Promise<Cookie | undefined> =>
  (await page.context().cookies(url)).find(({ name }) => name === sessionCookie);
