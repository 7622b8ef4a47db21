/**
 * Where a person lands after signing in. The address comes from a link that anybody may have written, so only pages of the
 * dashboard are gone to; everything else is the front page (UI-06).
 */
import { isAppPage } from './app-pages.ts';

const longest = 2_000;
/** Stands for our own origin while an address is read, and can be nobody's. */
const here = 'https://here.invalid';

/** The page that was asked for (path, query and fragment), or `/`. */
export function safeReturnTo(asked: unknown): string {
  if (typeof asked !== 'string' || asked.length > longest || /[\\\p{Cc}]/u.test(asked) || !/^\/(?!\/)/.test(asked))
    return '/';
  const url = URL.parse(asked, here);
  if (url === null || url.origin !== here || !isAppPage(url.pathname)) return '/';
  const page = `${url.pathname}${url.search}${url.hash}`;
  // Looked at again, because writing it as an address may have made it longer: it travels in a cookie.
  return page.length > longest ? '/' : page;
}
