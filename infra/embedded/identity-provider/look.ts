/**
 * How the pages of the embedded identity provider look: one style sheet, inline, no script, no image, no font to load.
 * Light and dark follow the browser; the colours keep WCAG 2.2 AA (a test computes every pair).
 */
import { createHash } from 'node:crypto';

/** Each colour as [light, dark]. */
export const palette = {
  ground: ['#f3f5f8', '#10141a'],
  card: ['#ffffff', '#1a2028'],
  ink: ['#1a1f27', '#e8ecf1'],
  quiet: ['#4c5663', '#aab4c0'],
  edge: ['#7b8694', '#77828f'],
  accent: ['#0a58a6', '#82b9f6'],
  onAccent: ['#ffffff', '#0b1017'],
  noticeGround: ['#fff3d1', '#352b10'],
  notice: ['#5a4300', '#f4dc9a'],
  alarmGround: ['#fdeaea', '#3b1719'],
  alarm: ['#8f1218', '#ffb3b3'],
} as const;

const variables = Object.entries(palette)
  .map(([name, [light, dark]]) => `--${name}:light-dark(${light},${dark});`)
  .join('');

export const styleSheet = `
:root{color-scheme:light dark;${variables}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:26rem}
.card{background:var(--card);border:1px solid var(--edge);border-radius:.75rem;padding:2rem}
.brand{margin:0 0 1rem;font-weight:600;letter-spacing:.02em;color:var(--accent)}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
p{margin:0 0 1rem;overflow-wrap:anywhere}
.quiet{color:var(--quiet)}
.code{font:600 1.5rem/1.4 ui-monospace,monospace;letter-spacing:.12em}
.alarm,.notice{border-radius:.5rem;padding:.75rem 1rem;border:1px solid currentColor}
.alarm{background:var(--alarmGround);color:var(--alarm)}
.notice{background:var(--noticeGround);color:var(--notice);margin:1rem 0 0;font-size:.9rem}
label{display:block;margin:0 0 .25rem;font-weight:600}
input{width:100%;min-height:2.75rem;margin:0 0 1rem;padding:.5rem .75rem;font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--edge);border-radius:.5rem}
input[name=user_code]{font-family:ui-monospace,monospace;letter-spacing:.12em;text-transform:uppercase}
button{width:100%;min-height:2.75rem;margin:0 0 .75rem;padding:.5rem 1rem;font:inherit;font-weight:600;cursor:pointer;color:var(--onAccent);background:var(--accent);border:1px solid var(--accent);border-radius:.5rem}
button.second{color:var(--accent);background:transparent;margin-bottom:0}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (forced-colors:active){.card,input,button{border:1px solid}}
`;

/** The style sheet as a Content-Security-Policy source, so that `style-src` allows this text and no other. */
export const styleSource = `'sha256-${createHash('sha256').update(styleSheet).digest('base64')}'`;

/**
 * The Content-Security-Policy of every page. Chromium applies `form-action` to the redirects after a form as well, so
 * the page of a sign-in names the origin that the person will be sent back to.
 */
export function contentSecurityPolicy(returnTo?: string): string {
  const origin = returnTo === undefined ? undefined : URL.parse(returnTo)?.origin;
  const formAction = origin === undefined || origin === 'null' ? "'self'" : `'self' ${origin}`;
  return [
    "default-src 'none'",
    `style-src ${styleSource}`,
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
