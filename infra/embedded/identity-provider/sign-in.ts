/**
 * Signs a person in without a browser window, for tests and for the end-to-end walk: follows the pages of the identity
 * provider (this one or a Keycloak) as a browser without script would, and stops before the last redirect.
 */
import { firstForm, openBrowser, saidBy } from './browser.ts';
import type { Browser, BrowserOptions, Page } from './browser.ts';

export type Credentials = { readonly username: string; readonly password: string };

const maxSteps = 16;

/**
 * Opens the authorization URL, fills in the login form, and returns the address of the client that the provider sends
 * the person back to (with `code` or `error`), without requesting it. Throws with the page's own words when the sign-in
 * is refused.
 */
export async function signInWithForm(
  options: BrowserOptions & Credentials & { readonly authorizationUrl: string | URL },
): Promise<URL> {
  const start = new URL(options.authorizationUrl);
  const callback = URL.parse(start.searchParams.get('redirect_uri') ?? '');
  if (callback === null)
    throw new Error(`the authorization URL names no redirect_uri: ${start.origin}${start.pathname}`);
  const browser = openBrowser(options);
  try {
    const end = await walk(browser, start, { ...options, isEnd: (url) => sameAddress(url, callback) });
    if (end.location !== undefined) return end.location;
    throw new Error(`sign-in as ${options.username} ended on a page: ${saidBy(end)} (status ${end.status})`);
  } finally {
    await browser.close();
  }
}

/**
 * Opens the link of a device authorization (RFC 8628 `verification_uri_complete`), presses its buttons and signs in.
 * Returns the heading of the last page; throws with its words when the device was not approved.
 */
export async function approveDevice(
  options: BrowserOptions & Credentials & { readonly verificationUriComplete: string | URL },
): Promise<string> {
  const browser = openBrowser(options);
  try {
    const end = await walk(browser, new URL(options.verificationUriComplete), { ...options, isEnd: () => false });
    if (end.status < 400) return saidBy(end);
    throw new Error(`the device was not approved: ${saidBy(end)} (status ${end.status})`);
  } finally {
    await browser.close();
  }
}

type Walk = Credentials & { readonly isEnd: (url: URL) => boolean };

/** Follows redirects and posts forms until the end is named, or a page has no form. */
async function walk(browser: Browser, start: URL, { username, password, isEnd }: Walk): Promise<Page> {
  let page = await browser.get(start);
  let signedIn = false;
  for (let step = 0; step < maxSteps; step += 1) {
    if (page.location !== undefined) {
      if (isEnd(page.location)) return page;
      page = await browser.get(page.location);
      continue;
    }
    const form = firstForm(page);
    if (form === undefined) return page;
    const asksPassword = form.inputs.has('password');
    if (asksPassword && signedIn) throw new Error(`sign-in as ${username} was refused: ${saidBy(page)}`);
    if (step > 0 && !asksPassword && /role="alert"/i.test(page.html)) throw new Error(`refused: ${saidBy(page)}`);
    signedIn ||= asksPassword;
    const typed = asksPassword ? [['username', username] as const, ['password', password] as const] : [];
    page = await browser.post(form.action, new Map([...form.fields, ...typed]));
  }
  throw new Error(
    `sign-in as ${username} did not end after ${maxSteps} steps; last at ${page.url.origin}${page.url.pathname}`,
  );
}

function sameAddress(url: URL, callback: URL): boolean {
  return url.origin === callback.origin && url.pathname === callback.pathname;
}
