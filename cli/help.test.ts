import { describe, expect, it } from 'vitest';
import { commandTable, entryOf } from './command-table.ts';
import { commandHelp, groupOverview, overview } from './help.ts';

describe('help', () => {
  it('lists every command once, and fits 100 columns', () => {
    const lines = overview(false).split('\n');
    for (const { words, summary } of commandTable)
      expect(lines.filter((line) => line.startsWith(`  ${words} `) && line.endsWith(summary))).toHaveLength(1);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  it('names the options of every command once', () => {
    expect(overview(false).match(/--timeout/g)).toHaveLength(1);
  });

  it('shows one group with the arguments of its commands', () => {
    expect(groupOverview('roles', false)).toBe(`Usage
  clustral roles <command> [options]

Commands
  roles list            list roles and the Kubernetes groups they give
  roles create <name>   create a role
  roles edit <role>     change a role, or how requests for it are decided

'clustral <command> --help' says more about one of them.
`);
  });

  it('shows one command: usage, arguments, options, examples', () => {
    const help = commandHelp(
      {
        entry: entryOf('roles create'),
        details: 'More about it.',
        examples: [['One group', 'clustral roles create sre --group a']],
        argumentHelp: { name: 'what people call it' },
        flags: [
          { names: '--group', value: 'GROUP', text: 'a group' },
          { names: '-o,--output', value: 'FORMAT', text: 'twice' },
        ],
      },
      false,
    );
    expect(help).toBe(`Create a role.

More about it.

Usage
  clustral roles create <name> [options]

Arguments
  <name>                   what people call it

Options
      --group GROUP        a group

Options of every command
  -o, --output FORMAT      table, wide, json, jsonl, yaml or name
      --profile NAME       use this profile instead of the current one
      --account NAME       act as this account of the profile: e-mail or user name
      --server HOST        use the profile that is for this server
      --timeout DURATION   how long one call may take, 30s by default
      --no-input           never wait for a person, fail instead
      --no-color           print without colours
      --debug              say on stderr what is called and how long it took
  -h, --help               show this help

Examples
  # One group
  clustral roles create sre --group a
`);
  });

  it('has bold heads in colour and the same words', () => {
    const plain = overview(true).replaceAll('\u001b[1m', '').replaceAll('\u001b[22m', '');
    expect(plain).toBe(overview(false));
  });
});
