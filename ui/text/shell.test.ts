import { describe, expect, it } from 'vitest';
import { commandLine, quoted } from './shell.ts';

describe('a value in a command line', () => {
  it.each([
    ['prod', 'prod', 'prod'],
    ['a b', "'a b'", "'a b'"],
    ["it's", String.raw`'it'\''s'`, "'it''s'"],
    ['$(reboot)', "'$(reboot)'", "'$(reboot)'"],
    ['user@example.com', 'user@example.com', "'user@example.com'"],
    ['', "''", "''"],
    ['-rf', "'-rf'", "'-rf'"],
    ['’; rm', "'’; rm'", "'’’; rm'"],
  ])('%j is one word', (word, posix, powershell) => {
    expect(quoted(word, 'posix')).toBe(posix);
    expect(quoted(word, 'powershell')).toBe(powershell);
  });

  it('stands between the words of ours', () => {
    expect(commandLine(['clustral access request', { value: 'my prod' }, '--for 2h'])).toBe(
      "clustral access request 'my prod' --for 2h",
    );
  });
});
