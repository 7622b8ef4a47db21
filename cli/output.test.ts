import { describe, expect, it } from 'vitest';
import { exitCodes, type Failure } from './failure.ts';
import { formatOf, formats, printAnswer, printFailure, printList, type Format, type Listing } from './output.ts';
import type { Column } from './table.ts';
import { captured } from './testing/context.ts';

type Row = { name: string; state: string; note: string };

const rows: Row[] = [
  { name: 'prod', state: 'Connected', note: 'the one that matters' },
  { name: '東京', state: 'Disconnected', note: 'evil \u001b[2J\u202e' },
];
const columns: readonly Column<Row>[] = [
  { head: 'NAME', value: ({ name }) => name },
  { head: 'STATUS', value: ({ state }) => state, tone: ({ state }) => (state === 'Connected' ? 'good' : 'bad') },
  { head: 'ID', value: () => '42', wide: true },
  { head: 'NOTE', value: ({ note }) => note },
];
const listing = (format: Format, given: Partial<Listing<Row>> = {}): Listing<Row> => ({
  format,
  rows,
  columns,
  json: { clusters: rows, nextPageToken: '' },
  plural: 'clusters',
  nameOf: ({ name }) => `cluster/${name}`,
  empty: 'No clusters yet.',
  heads: true,
  ...given,
});
const terminal = { isTerminal: true, columns: 80 };
const wideTerminal = { isTerminal: true, columns: 40 };

describe('a list', () => {
  it('is aligned on a terminal, by what is seen and not by what is counted', async () => {
    const { context, stdout } = captured(terminal);
    await printList(context, listing('table'));
    expect(stdout()).toBe(
      [
        'NAME   STATUS         NOTE',
        'prod   Connected      the one that matters',
        '東京   Disconnected   evil \\u001b[2J\\u202e',
        '',
      ].join('\n'),
    );
  });

  it('has tabs in a pipe, and nothing shortened', async () => {
    const { context, stdout } = captured();
    await printList(context, listing('table'));
    expect(stdout()).toBe(
      'NAME\tSTATUS\tNOTE\nprod\tConnected\tthe one that matters\n東京\tDisconnected\tevil \\u001b[2J\\u202e\n',
    );
  });

  it('shortens the last column of a table to the terminal, and not of a wide one', async () => {
    const narrow = captured(wideTerminal);
    await printList(narrow.context, listing('table'));
    expect(narrow.stdout()).toContain('prod   Connected      the one that matt…\n');
    const wide = captured(wideTerminal);
    await printList(wide.context, listing('wide'));
    expect(wide.stdout()).toContain('prod   Connected      42   the one that matters\n');
  });

  it('leaves the heads out when asked to', async () => {
    const { context, stdout } = captured();
    await printList(context, listing('table', { heads: false }));
    expect(stdout()).not.toContain('NAME');
  });

  it('colours words and never their blanks', async () => {
    const { context, stdout } = captured({ ...terminal, color: { stdout: true, stderr: false } });
    await printList(context, listing('table'));
    expect(stdout()).toContain('prod   \u001b[32mConnected\u001b[39m      the one');
  });

  it('is one JSON object that carries the plural noun', async () => {
    const { context, stdout } = captured();
    await printList(context, listing('json'));
    expect(JSON.parse(stdout())).toEqual({ clusters: rows, nextPageToken: '' });
    expect(stdout()).toContain('evil \\u001b[2J\\u202e');
  });

  it('is one JSON object per line for streams', async () => {
    const { context, stdout } = captured();
    await printList(context, listing('jsonl'));
    expect(
      stdout()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
  });

  it('is YAML of the same object', async () => {
    const { context, stdout } = captured();
    await printList(context, listing('yaml', { rows: [], json: { clusters: [{ name: 'prod' }], nextPageToken: '' } }));
    expect(stdout()).toBe('clusters:\n  - name: prod\nnextPageToken: ""\n');
  });

  it('is a list of names that other commands take', async () => {
    const { context, stdout } = captured();
    await printList(context, listing('name', { nameOf: ({ note }) => `cluster/${note}` }));
    expect(stdout()).toBe('cluster/the one that matters\ncluster/evil \\u001b[2J\\u202e\n');
  });

  it('says on stderr that there is nothing, and stdout stays empty', async () => {
    const { context, stdout, stderr } = captured();
    await printList(context, listing('table', { rows: [] }));
    expect(stdout()).toBe('');
    expect(stderr()).toBe('No clusters yet.\n');
  });

  it('is an empty list in JSON when there is nothing', async () => {
    const { context, stdout, stderr } = captured();
    await printList(context, listing('json', { rows: [], json: { clusters: [] } }));
    expect(JSON.parse(stdout())).toEqual({ clusters: [] });
    expect(stderr()).toBe('');
  });
});

describe('one thing', () => {
  it.each([
    ['table', 'role/sre created\n'],
    ['wide', 'role/sre created\n'],
    ['name', 'role/sre\n'],
    ['json', '{\n  "name": "sre"\n}\n'],
    ['jsonl', '{"name":"sre"}\n'],
    ['yaml', 'name: sre\n'],
  ] as const)('as %s', async (format, text) => {
    const { context, stdout } = captured();
    await printAnswer(context, { format, json: { name: 'sre' }, name: 'role/sre', text: 'role/sre created\n' });
    expect(stdout()).toBe(text);
  });

  it('comes in the known formats only', () => {
    for (const format of formats) expect(formatOf(format)).toBe(format);
    expect(() => formatOf('xml')).toThrow("unknown output format 'xml'");
  });
});

describe('a failure', () => {
  const failure: Failure = {
    exitCode: exitCodes.forbidden,
    what: 'dev has no role on \u001b[31mprod',
    code: 'NO_ROLE_ASSIGNMENT',
    fix: 'Ask an administrator.',
    help: 'https://docs.example/errors/no-role-assignment',
    correlationId: 'c0ffee',
    cause: new Error('cause with \u001b]52;c;x\u0007'),
  };

  it('is what, fix, help and reference, on stderr', () => {
    const { context, stdout, stderr } = captured();
    printFailure(context, failure, { json: false, debug: false });
    expect(stdout()).toBe('');
    expect(stderr()).toBe(
      [
        'error: dev has no role on \\u001b[31mprod   NO_ROLE_ASSIGNMENT',
        '  fix:  Ask an administrator.',
        '  help: https://docs.example/errors/no-role-assignment',
        '  ref:  c0ffee',
        '',
      ].join('\n'),
    );
  });

  it('is one line of JSON when JSON is read', () => {
    const { context, stderr } = captured();
    printFailure(context, failure, { json: true, debug: false });
    expect(JSON.parse(stderr())).toEqual({
      error: {
        message: failure.what,
        exitCode: 5,
        code: 'NO_ROLE_ASSIGNMENT',
        fix: failure.fix,
        help: failure.help,
        correlationId: 'c0ffee',
      },
    });
    expect(stderr()).toContain('\\u001b[31m');
  });

  it('shows where it came from only with --debug, and even then no control character', () => {
    const { context, stderr } = captured();
    printFailure(context, failure, { json: false, debug: true });
    expect(stderr()).toContain('cause with \\u001b]52;c;x\\u0007');
    expect(stderr()).not.toContain('\u001b');
  });
});
