import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureUi } from './ensure-ui.ts';

let ui: string;
let builds: number;
let said: string[];
beforeEach(() => {
  ui = mkdtempSync(join(tmpdir(), 'ensure-ui-'));
  writeFileSync(join(ui, 'main.tsx'), 'one');
  builds = 0;
  said = [];
});
afterEach(() => rmSync(ui, { recursive: true }));

const ensure = (ok = true): boolean =>
  ensureUi({
    ui,
    beside: [],
    say: (line) => said.push(line),
    build() {
      builds += 1;
      if (ok) {
        mkdirSync(join(ui, 'dist'), { recursive: true });
        writeFileSync(join(ui, 'dist', 'index.html'), '');
      }
      return { ok, said: 'main.tsx does not compile' };
    },
  });

describe('the build of the dashboard', () => {
  it('is made once', () => {
    expect([ensure(), ensure()]).toEqual([true, true]);
    expect(builds).toBe(1);
  });

  it('is made again when a source has another content, not when it has another time', () => {
    ensure();
    utimesSync(join(ui, 'main.tsx'), 1, 1);
    ensure();
    expect(builds).toBe(1);
    writeFileSync(join(ui, 'main.tsx'), 'two');
    ensure();
    expect(builds).toBe(2);
  });

  it('does not depend on tests', () => {
    ensure();
    writeFileSync(join(ui, 'main.browser.test.tsx'), '');
    mkdirSync(join(ui, 'testing'));
    writeFileSync(join(ui, 'testing', 'samples.ts'), '');
    ensure();
    expect(builds).toBe(1);
  });

  it('that fails is told, tried again next time, and leaves an earlier one in use', () => {
    expect(ensure(false)).toBe(false);
    expect(said.at(-1)).toContain('main.tsx does not compile');
    expect(ensure()).toBe(true);
    writeFileSync(join(ui, 'main.tsx'), 'broken');
    expect(ensure(false)).toBe(true);
    expect(said.at(-1)).toContain('an earlier build stays in use');
    ensure();
    expect(builds).toBe(4);
  });
});
