import { describe, expect, it } from 'vitest';
import { commandOf } from './command-line.ts';

const parse = (words: string, environment = {}) => commandOf(words.split(' ').filter(Boolean), environment);

describe('the command line of the event store', () => {
  it('serves on a loopback port, or on a socket', () => {
    expect(parse('--data d --listen 127.0.0.1:2113')).toEqual({
      kind: 'serve',
      data: 'd',
      listen: { host: '127.0.0.1', port: 2113 },
      tls: undefined,
      maxAppendBytes: 1_048_576,
      metrics: undefined,
    });
    expect(parse('serve --data d --listen [::1]:0 --max-append-bytes 2048 --metrics localhost:9')).toMatchObject({
      listen: { host: '::1', port: 0 },
      maxAppendBytes: 2_048,
      metrics: { host: 'localhost', port: 9 },
    });
    expect(parse('--data d --socket s')).toMatchObject({ listen: { socket: 's' } });
  });

  it('names the tools', () => {
    expect(parse('backup --data d --to t')).toEqual({ kind: 'backup', data: 'd', to: 't' });
    expect(parse('restore --from f --data d')).toEqual({ kind: 'restore', from: 'f', data: 'd' });
    expect(parse('verify --data d')).toEqual({ kind: 'verify', data: 'd' });
    expect(parse('dump --from esdb://host')).toEqual({ kind: 'dump', from: 'esdb://host' });
    expect(parse('load --to esdb://host')).toEqual({ kind: 'load', to: 'esdb://host' });
  });

  it.each([
    ['--data x', 'Name one of --listen HOST:PORT and --socket PATH.'],
    ['--data x --listen 127.0.0.1:0 --socket s', 'Name one of --listen HOST:PORT and --socket PATH.'],
    ['--data x --listen 0.0.0.0:2113', 'Without TLS the store listens on loopback only, not on 0.0.0.0'],
    ['--data x --listen example.com:2113', 'Without TLS the store listens on loopback only'],
    ['--data x --listen localhost', '--listen wants HOST:PORT, not localhost.'],
    ['--data x --listen 127.0.0.1:70000', '--listen wants HOST:PORT'],
    ['--listen 127.0.0.1:0', '--data is missing.'],
    ['--data x --listen 127.0.0.1:0 --tls-cert c', '--tls-cert and --tls-key belong together.'],
    ['--data x --listen 127.0.0.1:0 --tls-cert c --tls-key k', 'EVENT_STORE_PASSWORD: is not set'],
    ['--data x --listen 127.0.0.1:0 --metrics 10.0.0.1:1', '--metrics is served on loopback only.'],
    ['--data x --listen 127.0.0.1:0 --max-append-bytes 1', '--max-append-bytes is a whole number'],
    ['--data x --listen 127.0.0.1:0 --to y', '--to does not belong to this command.'],
    ['--unknown', "Unknown option '--unknown'"],
    ['walk', 'walk is no command: serve, backup, restore, verify, dump or load.'],
    ['verify now --data x', 'now is one word too many.'],
  ])('refuses %j with one sentence', (words, sentence) => {
    expect(() => parse(words)).toThrow(sentence);
  });
});
