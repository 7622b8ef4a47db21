import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAppPage } from './app-pages.ts';

const routes = join(import.meta.dirname, '..', '..', 'ui', 'routes.tsx');

describe('the pages of the dashboard', () => {
  it('are those that the dashboard draws', () => {
    expect(existsSync(routes)).toBe(true);
    const drawn = [...readFileSync(routes, 'utf8').matchAll(/'(\/[^']*)'/g)].map(([, path = '']) => path);
    expect(drawn.length).toBeGreaterThan(5);
    expect(drawn.filter((path) => path !== '/' && !isAppPage(path))).toEqual([]);
  });

  it.each(['/', '/homes', '/api/auth/session', '/errors/', '/assets/home', '//home', '/HOME', '/app/rpc/x'])(
    'are not %s',
    (path) => {
      expect(isAppPage(path)).toBe(false);
    },
  );
});
