import { createRequire } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { checkArguments, meantBy, type Shape } from './command-line.ts';
import { commandTable } from './command-table.ts';
import { loadCommand } from './commands.ts';
import { defineCommand } from './definition.ts';
import { exitCodes, type CliError } from './failure.ts';

// The real clipanion, loaded as Node loads it: vitest prefers its 'module' files, which import a folder and load nowhere.
vi.mock('clipanion', () => createRequire(import.meta.url)('clipanion'));

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

function refusalOf(act: () => unknown): CliError {
  try {
    act();
  } catch (thrown) {
    return thrown as CliError;
  }
  throw new Error('it was not refused');
}

describe('the command that a line means', () => {
  it.each([
    ['kube login prod', 'kube login', 'prod'],
    ['--debug kube login prod', 'kube login', '--debug prod'],
    ['--profile staging clusters list', 'clusters list', '--profile staging'],
    ['kube -o json list', 'kube list', '-o json'],
    ['cluster ls', 'clusters list', ''],
    ['assignment rm alice prod', 'assignments remove', 'alice prod'],
    ['users list -o wide', 'users list', '-o wide'],
    ['audit', 'audit', ''],
    ['audit list --code CPR002W', 'audit', '--code CPR002W'],
    ['login list', 'login', 'list'],
    ['--version', 'version', ''],
    ['help kube login', 'kube login', '--help'],
    ['kube login --help', 'kube login', '--help'],
  ])('%s', (line, name, rest) => {
    expect(meantBy(words(line))).toEqual({ kind: 'command', name, args: words(rest) });
  });

  it.each([
    ['', { kind: 'overview', asked: false }],
    ['--help', { kind: 'overview', asked: true }],
    ['help', { kind: 'overview', asked: true }],
    ['kube', { kind: 'group', group: 'kube', asked: false }],
    ['role --help', { kind: 'group', group: 'roles', asked: true }],
    ['help kube', { kind: 'group', group: 'kube', asked: true }],
  ])("'%s' asks for help", (line, meant) => expect(meantBy(words(line))).toEqual(meant));

  it.each([
    ['bogus', "unknown command 'bogus'", 'clustral --help'],
    ['logni', "unknown command 'logni'", "did you mean 'clustral login'?"],
    [
      'kube bogus',
      "unknown command 'kube bogus'",
      'use one of: kube list, kube login, kube logout, kube repair, kube credential',
    ],
    ['kube lits', "unknown command 'kube lits'", "did you mean 'clustral kube list'?"],
    ['__proto__', "unknown command '__proto__'", 'clustral --help'],
    ['constructor x', "unknown command 'constructor'", 'clustral --help'],
    [
      'kube \u001b[2J',
      "unknown command 'kube \\u001b[2J'",
      'use one of: kube list, kube login, kube logout, kube repair, kube credential',
    ],
  ])('is unknown: %s', (line, what, fix) => {
    expect(refusalOf(() => meantBy(words(line)))).toMatchObject({ exitCode: exitCodes.usage, message: what, fix });
  });
});

describe('the arguments of a command', () => {
  const shape: Shape = {
    name: 'assignments add',
    args: '<user> <cluster> <role>',
    flags: [
      { names: ['-o', '--output'], takesValue: true, required: false },
      { names: ['--force'], takesValue: false, required: false },
    ],
  };

  it.each(['a b c', '-o json a b c', 'a -o=json b c --force', 'a b -- -c', 'a b -'])('are complete: %s', (line) => {
    expect(() => checkArguments(words(line), shape)).not.toThrow();
  });

  it.each([
    [
      '',
      "'clustral assignments add' needs <user> and <cluster> and <role>",
      'clustral assignments add <user> <cluster> <role>',
    ],
    ['a b', "'clustral assignments add' needs <role>", 'clustral assignments add <user> <cluster> <role>'],
    ['a b c d', "unexpected argument 'd'", 'clustral assignments add <user> <cluster> <role>'],
    ['a b c --froce', "'clustral assignments add' knows no flag '--froce'", "did you mean '--force'?"],
    ['a b c -x', "'clustral assignments add' knows no flag '-x'", 'clustral assignments add --help'],
    ['a b c -o', '-o needs a value', 'clustral assignments add --help'],
  ])('are wrong: %s', (line, what, fix) => {
    expect(refusalOf(() => checkArguments(words(line), shape))).toMatchObject({
      exitCode: exitCodes.usage,
      message: what,
      fix,
    });
  });

  it('names a flag that must be given', async () => {
    const { shape: credential } = await defineCommand('kube credential');
    expect(refusalOf(() => checkArguments([], credential)).message).toBe("'clustral kube credential' needs --cluster");
  });
});

describe('the table of commands', () => {
  it.each(commandTable.map((entry) => [entry.words, entry] as const))(
    'says of %s what its class says',
    async (name, entry) => {
      const loaded = await loadCommand[name]();
      const { help } = await defineCommand(name);
      const declared = entry.args.split(' ').filter((arg) => arg !== '');

      expect(loaded.paths).toEqual([name.split(' ')]);
      expect(loaded.usage).toMatchObject({ category: entry.category, description: entry.summary });
      expect(Object.keys(loaded.argumentHelp)).toEqual(declared.map((arg) => arg.slice(1, -1)));
      expect(help.flags.filter(({ text }) => text === '')).toEqual([]);
      for (const [, line] of help.examples) expect(line).toMatch(new RegExp(`^clustral ${name}( |$)`));
    },
  );

  it.each(commandTable.map((entry) => [entry.words, entry] as const))(
    'has the arguments of %s as clipanion parses them',
    async (name, entry) => {
      const { Cli } = await import('clipanion');
      const cli = new Cli({ binaryName: 'clustral', enableColors: false });
      cli.register(await loadCommand[name]());
      expect(cli.definitions()[0]?.usage.replace(/ <--cluster #0>/, '')).toBe(
        ['clustral', name, entry.args.replace(/\[[\w-]+\.\.\.\]/, '...')].join(' ').trim(),
      );
    },
  );
});
