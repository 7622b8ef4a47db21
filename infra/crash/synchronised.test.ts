import { describe, expect, it } from 'vitest';
import { judgeAppends } from './synchronised.ts';
import { parseTrace } from './trace.ts';

const socket = 'UNIX-STREAM:[7->6,"/d/s"]';
const wal = '/d/log.db-wal';
const isLog = (path: string): boolean => path.startsWith('/d/log.db') && !path.endsWith('-shm');

/** As strace prints a buffer: printable bytes as they are, the others as octal numbers of three digits. */
const printed = (bytes: Buffer): string =>
  [...bytes]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, '0')}`,
    )
    .join('');

function frame(type: number, stream: number, payload = ''): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const one = (name: string, file: string, bytes: Buffer): string =>
  `12 1700.5 ${name}(9<${file}>, "${printed(bytes)}", 65536) = ${bytes.length}`;
const request = (stream: number, mark: string): string => one('read', socket, frame(0, stream, `{"mark":"${mark}"}`));
const written = (text: string, file = wal): string => one('pwrite64', file, Buffer.from(`page "${text}" \\ \n end`));
const synced = (file = wal, result = '0'): string => `12 1700.5 fsync(9<${file}>) = ${result}`;
const answer = (stream: number): string => {
  const [headers, data] = [frame(1, stream, 'h'), frame(0, stream, 'done')];
  return `12 1700.5 writev(9<${socket}>, [{iov_base="${printed(headers)}", iov_len=10}, {iov_base="${printed(data)}", iov_len=13}], 2) = 23`;
};
const windowUpdate = one('write', socket, frame(8, 0, 'wwww'));

const judge = (lines: readonly string[], marks: readonly string[] = ['A']) =>
  judgeAppends(parseTrace(lines.join('\n')), marks, isLog).map(({ fault }) => fault);

describe('G1 a trace in which answers follow the fsync', () => {
  it('is believed', () => {
    expect(judge([request(1, 'A'), windowUpdate, written('A'), synced(), answer(1)])).toEqual([undefined]);
  });

  it('is believed for two connections that share one fsync', () => {
    const other = (text: string): string => text.replaceAll(socket, 'TCP:[127.0.0.1:1->127.0.0.1:2]');
    const lines = [request(1, 'A'), other(request(1, 'B')), written('A and B'), synced(), answer(1), other(answer(1))];
    expect(judge(lines, ['A', 'B'])).toEqual([undefined, undefined]);
  });

  it('is believed when other threads interrupt the print', () => {
    const [begin = '', end = ''] = written('A').split(', 65536');
    const lines = [
      request(1, 'A'),
      `${begin} <unfinished ...>`,
      '13 1700.5 read(5</proc/stat>, "x", 1) = 1',
      `12 1700.5 <... pwrite64 resumed>, 65536${end}`,
      '12 1700.5 fdatasync(9</d/log.db-wal> <unfinished ...>',
      '13 1700.5 read(5</proc/stat>, "x", 1) = 1',
      '12 1700.5 <... fdatasync resumed>) = 0',
      answer(1),
    ];
    expect(judge(lines)).toEqual([undefined]);
  });

  it('is believed when the request comes in pieces', () => {
    const bytes = frame(0, 1, '{"mark":"A"}');
    const [first, second] = [bytes.subarray(0, 11), bytes.subarray(11)];
    const lines = [one('read', socket, first), one('read', socket, second), written('A'), synced(), answer(1)];
    expect(judge(lines)).toEqual([undefined]);
  });
});

describe('G1 a doctored trace', () => {
  it.each<[string, readonly string[], RegExp]>([
    [
      'without the fsync',
      [request(1, 'A'), written('A'), answer(1)],
      /line 2 wrote .* not synchronised before .* line 3/,
    ],
    ['with the fsync before the write', [request(1, 'A'), synced(), written('A'), answer(1)], /line 3 wrote/],
    ['with the fsync after the answer', [request(1, 'A'), written('A'), answer(1), synced()], /line 2 wrote/],
    [
      'with a write after the fsync',
      [request(1, 'A'), written('A'), synced(), written('B'), answer(1)],
      /line 4 wrote/,
    ],
    [
      'with an fsync that failed',
      [request(1, 'A'), written('A'), synced(wal, '-1 EIO (Input/output error)'), answer(1)],
      /line 2 wrote/,
    ],
    ['with an fsync of another file', [request(1, 'A'), written('A'), synced('/d/log.db'), answer(1)], /line 2 wrote/],
    [
      'with the data in a file that is not the log',
      [request(1, 'A'), written('A', '/d/log.db-shm'), synced(), answer(1)],
      /before it was written/,
    ],
    [
      'with the data written too late',
      [request(1, 'A'), written('B'), synced(), answer(1), written('A'), synced()],
      /before it was written/,
    ],
    ['without the answer', [request(1, 'A'), written('A'), synced()], /no answer/],
    ['with the answer to another', [request(1, 'A'), written('A'), synced(), answer(3)], /no answer/],
  ])('%s is not believed', (_, lines, fault) => {
    expect(judge(lines)).toEqual([expect.stringMatching(fault)]);
  });

  it('whose bytes are cut off proves nothing', () => {
    const cut = `12 1700.5 pwrite64(9<${wal}>, "abc"..., 4096, 0) = 4096`;
    expect(() => judge([request(1, 'A'), cut, synced(), answer(1)])).toThrow(/cut off the bytes of a pwrite64/);
  });
});
