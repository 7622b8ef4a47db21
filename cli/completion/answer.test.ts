import { describe, expect, it } from 'vitest';
import { answerLines, joinedWords } from './answer.ts';

const named = (...values: string[]) => values.map((value) => ({ value, text: `about ${value}` }));
const whole = { prefix: '', cut: 0 };

describe('the answer to a press of the key', () => {
  it('is every value that begins with what was typed, with a word about it', () => {
    expect(answerLines(named('prod', 'preview', 'staging'), { typed: 'pr', ...whole })).toBe(
      'prod\tabout prod\npreview\tabout preview\n',
    );
  });

  it('never holds what a shell would run or a terminal obey (ID-14)', () => {
    const hostile = [
      '$(id)',
      '`id`',
      'a;id',
      'a b',
      'a|b',
      "a'b",
      'a"b',
      'a>b',
      '\u001b[2J',
      'a\nb',
      '!!',
      '~root',
      '',
    ];
    expect(answerLines(named(...hostile, 'prod'), { typed: '', ...whole })).toBe('prod\tabout prod\n');
    const text = answerLines([{ value: 'prod', text: 'a\tb\u001b[2J\n' }], { typed: '', ...whole });
    expect(text).toBe('prod\ta\\u0009b\\u001b[2J\\u000a\n');
  });

  it('has flags only when one is being typed', () => {
    expect(answerLines(named('--force', 'prod'), { typed: '', ...whole })).toBe('prod\tabout prod\n');
    expect(answerLines(named('--force', 'prod'), { typed: '--', ...whole })).toBe('--force\tabout --force\n');
  });

  it('is at most 500 lines', () => {
    const many = named(...Array.from({ length: 2000 }, (_, index) => `c${index}`));
    expect(answerLines(many, { typed: '', ...whole }).split('\n')).toHaveLength(501);
  });

  it('repeats what stands before it in the word, but not to bash', () => {
    const typed = '--output=js';
    expect(answerLines(named('json'), { typed, prefix: '--output=', cut: 0 })).toBe('--output=json\tabout json\n');
    expect(answerLines(named('json'), { typed, prefix: '--output=', cut: 9 })).toBe('json\tabout json\n');
  });
});

describe('words as bash takes them apart', () => {
  it.each([
    [['kube', 'lo'], ['kube', 'lo'], 0],
    [['whoami', '--output', '=', 'js'], ['whoami', '--output=js'], 9],
    [['whoami', '--output', '='], ['whoami', '--output='], 9],
    [['accounts', 'use', 'dev', '@', 'cl'], ['accounts', 'use', 'dev@cl'], 4],
    [['login', 'https', '://', 'loc'], ['login', 'https://loc'], 8],
    [['--server', '=', 'https', '://', 'localhost', ':', '84'], ['--server=https://localhost:84'], 27],
    [['login', 'https', '://', 'loc', ''], ['login', 'https://loc', ''], 0],
    [[''], [''], 0],
  ])('%j', (words, joined, cut) => {
    expect(joinedWords(words)).toEqual({ words: joined, cut });
  });
});
