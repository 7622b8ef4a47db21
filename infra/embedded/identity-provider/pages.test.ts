import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from './html.ts';
import { contentSecurityPolicy, palette } from './look.ts';
import { deviceCodePage, deviceConfirmPage, loginPage, messagePage, signOutPage } from './pages.ts';

const hostile = `"><script>alert('x')</script>&`;
const pages = [
  loginPage({ action: '/login', clientName: hostile, username: hostile, problem: hostile }),
  deviceCodePage({ action: '/device', formSecret: 'x', userCode: hostile, problem: hostile }),
  deviceConfirmPage({ action: '/device', formSecret: 'x', userCode: hostile, clientName: hostile }),
  signOutPage({ action: '/logout', formSecret: hostile }),
  messagePage(hostile, [hostile], hostile),
];

describe('the pages', () => {
  it.each(pages)('hold no script, no handler and nothing to load, whatever the texts are (%#)', (page) => {
    expect(page).not.toMatch(/<script|\son\w+=|<img|<link|@import|url\(/i);
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<h1>/g)).toHaveLength(1);
  });

  it.each(pages)('give every field that is typed into a label (%#)', (page) => {
    for (const [input] of page.matchAll(/<input (?!type="hidden")[^>]*>/g)) {
      const id = /id="([^"]+)"/.exec(input)?.[1];
      expect(page).toContain(`<label for="${id}">`);
    }
  });

  it('allow exactly their own style sheet', () => {
    const style = /<style>([\s\S]*?)<\/style>/.exec(pages[0]!)![1]!;
    expect(contentSecurityPolicy()).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  });

  it('name the origin that a sign-in returns to, and only the origin', () => {
    const policy = contentSecurityPolicy('http://127.0.0.1:4711/callback; script-src *');
    expect(policy).toContain("form-action 'self' http://127.0.0.1:4711;");
    expect(policy).not.toContain('script-src');
    expect(contentSecurityPolicy('javascript:alert(1)')).toContain("form-action 'self';");
  });
});

describe('text put into a page', () => {
  it('comes out of the HTML as it went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', ';', '#') }), (text) => {
        const { text: escaped } = html`${text}`;
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replace(/&#(\d+);/g, (_whole, code: string) => String.fromCharCode(Number(code)))).toBe(text);
      }),
    );
  });
});

describe('the colours', () => {
  const pairs = [
    ['ink', 'card', 4.5],
    ['quiet', 'card', 4.5],
    ['accent', 'card', 4.5],
    ['onAccent', 'accent', 4.5],
    ['notice', 'noticeGround', 4.5],
    ['alarm', 'alarmGround', 4.5],
    ['edge', 'card', 3],
    ['edge', 'ground', 3],
  ] as const;

  it.each(pairs)(
    '%s on %s keep a contrast of %d in light and dark (WCAG 2.2, 1.4.3 and 1.4.11)',
    (front, back, least) => {
      for (const scheme of [0, 1] as const) {
        const [lighter, darker] = [luminance(palette[front][scheme]), luminance(palette[back][scheme])].toSorted(
          (a, b) => b - a,
        );
        expect((lighter! + 0.05) / (darker! + 0.05)).toBeGreaterThanOrEqual(least);
      }
    },
  );
});

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
