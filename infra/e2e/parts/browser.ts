/**
 * A real browser for end-to-end tests: headless Chromium that trusts the given keys and no others, asks for no name outside this
 * machine, and keeps quiet. `CHROMIUM` names another program than `/usr/bin/chromium`.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { chromium, type Browser, type Page } from 'playwright';
import type { Product } from './product.ts';

/** SHA-256 of a certificate's public key in base64, as Chromium's list of trusted keys wants it. */
const keyHash = (pem: string): string =>
  createHash('sha256')
    .update(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');

/**
 * Starts it. `trust` are PEM certificates, of a CA or of a server: a chain that holds one of their keys is good, all other checks stay
 * on.
 */
export function launchBrowser({ trust }: { readonly trust: readonly string[] }): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      // Without it Chromium does not run as root, which is who runs tests in a container.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
      `--ignore-certificate-errors-spki-list=${trust.map(keyHash).join(',')}`,
    ],
  });
}

/** What a page complained about so far: errors on its console, exceptions, requests that failed, scripts and styles that were blocked. */
export function complaintsOf(page: Page): readonly string[] {
  const list: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') list.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => list.push(`exception: ${error.message}`));
  page.on('requestfailed', (request) => list.push(`request: ${request.url()} ${request.failure()?.errorText ?? ''}`));
  return list;
}

/** Signs in as a person of the embedded identity provider, beginning at the given path of the product, and waits for the end of it. */
export async function signInAt(
  page: Page,
  product: Pick<Product, 'url'>,
  { username, path = '/' }: SignInAt,
): Promise<void> {
  await page.goto(`${product.url}${path}`);
  if (!page.url().includes('/realms/')) await page.getByRole('link', { name: 'Sign in' }).first().click();
  await page.locator('input[name=username]').fill(username);
  await page.locator('input[name=password]').fill(username);
  await Promise.all([
    page.waitForURL((url) => url.origin === product.url && !/^\/(?:realms|api)\//.test(url.pathname)),
    page.locator('form button').first().click(),
  ]);
}

/** The password is the user name, as for all people of that provider. */
export type SignInAt = { readonly username: string; readonly path?: string };
