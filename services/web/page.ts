/**
 * The frame of every page: static HTML without a script, one inlined style sheet that the content security policy allows by
 * its digest and nothing else. Text is put in through `html`, which escapes it.
 */
import { createHash } from 'node:crypto';

/** HTML that is safe to put into HTML. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A template whose values are escaped, unless they are `Html` already. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return new Html(parts.map((part, index) => part + (index < values.length ? inserted(values[index]) : '')).join(''));
}

function inserted(value: string | Html | readonly Html[] | undefined): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return (value ?? '').replace(/[&<>"']/g, (char) => entities[char] ?? char);
}

const style = `
:root{color-scheme:light dark;--ink:#17202a;--soft:#5b6875;--line:#dde3e8;--paper:#fbfcfd;--card:#fff;--accent:#0b6e6e}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf1;--soft:#9aa8b5;--line:#2a343d;--paper:#11171c;--card:#182027;--accent:#4fc3bd}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:44rem;margin:0 auto;padding:4.5rem 1.5rem 3rem}
h1{font-size:2.1rem;line-height:1.2;letter-spacing:-.02em;margin:0 0 .75rem}
h2{font-size:1.05rem;margin:2.5rem 0 .75rem}
p{margin:0 0 1rem}
.lead{color:var(--soft);font-size:1.15rem}
.mark{display:block;width:2.5rem;height:.35rem;background:var(--accent);border-radius:.2rem;margin:0 0 1.5rem}
ol,dl{margin:0;padding:0;list-style:none;border:1px solid var(--line);border-radius:.6rem;background:var(--card);overflow:hidden}
li,dl div{padding:.9rem 1.1rem}
li+li,dl div+div{border-top:1px solid var(--line)}
li span,dt{display:block;color:var(--soft);font-size:.9rem}
dd{margin:0}
code{font:.95rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
li code{display:block}
a{color:var(--accent)}
.button{display:inline-block;padding:.55rem 1.2rem;border-radius:.5rem;background:var(--accent);color:var(--paper);font-weight:600;text-decoration:none}
a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
dl+p{margin-top:1.5rem}
footer{max-width:44rem;margin:0 auto;padding:0 1.5rem 3rem;color:var(--soft);font-size:.9rem}
`;

// Whole, because the policy allows exactly these bytes between the tags.
const styleElement = new Html(`<style>${style}</style>`);

/** Headers of every page. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "base-uri 'none'",
    "object-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-cache',
};

/** A whole page. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${styleElement}
      </head>
      <body>
        <main>
          <span class="mark"></span>
          ${body}
        </main>
        <footer>
          Clustral: short-lived, audited access to Kubernetes clusters that nobody can reach from outside.
        </footer>
      </body>
    </html> `.text;
}
