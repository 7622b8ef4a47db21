/**
 * What the words of the command line ask for. It refuses unknown words, half a TLS configuration, and a plaintext port that
 * others than this machine could reach.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isIP } from 'node:net';
import { readConfig, type Environment } from '@clustral/kernel/config.ts';
import { z } from 'zod';
import { defaultMaxAppendBytes } from '../server.ts';

export type Address = { readonly host: string; readonly port: number };

export type Serve = {
  readonly kind: 'serve';
  readonly data: string;
  readonly listen: Address | { readonly socket: string };
  readonly tls: { readonly cert: string; readonly key: string; readonly password: string } | undefined;
  readonly maxAppendBytes: number;
  readonly metrics: Address | undefined;
};

export type Command =
  | Serve
  | { readonly kind: 'backup'; readonly data: string; readonly to: string }
  | { readonly kind: 'restore'; readonly from: string; readonly data: string }
  | { readonly kind: 'verify'; readonly data: string }
  | { readonly kind: 'dump'; readonly from: string }
  | { readonly kind: 'load'; readonly to: string };

/** As great as one event of EventStoreDB may be inside. */
const mostAppendBytes = 15 * 1024 * 1024;

const words = ['data', 'listen', 'socket', 'tls-cert', 'tls-key', 'max-append-bytes', 'metrics', 'to', 'from'] as const;
type Words = Readonly<Partial<Record<(typeof words)[number], string>>>;

/** Throws an `Error` whose message is one sentence for the operator. */
export function commandOf(args: readonly string[], environment: Environment): Command {
  const options = Object.fromEntries(words.map((word) => [word, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const given = values as Words;
  const [kind = 'serve', ...others] = positionals;
  if (others.length > 0) throw new Error(`${others[0]} is one word too many.`);
  switch (kind) {
    case 'serve':
      return serveCommand(
        only(given, ['data', 'listen', 'socket', 'tls-cert', 'tls-key', 'max-append-bytes', 'metrics']),
        environment,
      );
    case 'backup':
      return { kind, data: wanted(only(given, ['data', 'to']), 'data'), to: wanted(given, 'to') };
    case 'restore':
      return { kind, data: wanted(only(given, ['data', 'from']), 'data'), from: wanted(given, 'from') };
    case 'verify':
      return { kind, data: wanted(only(given, ['data']), 'data') };
    case 'dump':
      return { kind, from: wanted(only(given, ['from']), 'from') };
    case 'load':
      return { kind, to: wanted(only(given, ['to']), 'to') };
    default:
      throw new Error(`${kind} is no command: serve, backup, restore, verify, dump or load.`);
  }
}

function serveCommand(given: Words, environment: Environment): Serve {
  const { socket, listen } = given;
  if ((socket === undefined) === (listen === undefined))
    throw new Error('Name one of --listen HOST:PORT and --socket PATH.');
  const tls = tlsOf(given, environment);
  const where = socket === undefined ? addressOf('--listen', listen ?? '') : { socket };
  if ('socket' in where && tls !== undefined) throw new Error('A socket has no TLS: it is guarded by its folder.');
  if ('host' in where && tls === undefined && !isLoopback(where.host)) {
    throw new Error(
      `Without TLS the store listens on loopback only, not on ${where.host}: add --tls-cert and --tls-key.`,
    );
  }
  const metrics = given.metrics === undefined ? undefined : addressOf('--metrics', given.metrics);
  if (metrics !== undefined && !isLoopback(metrics.host)) throw new Error('--metrics is served on loopback only.');
  return {
    kind: 'serve',
    data: wanted(given, 'data'),
    listen: where,
    tls,
    maxAppendBytes: bytesOf(given['max-append-bytes']),
    metrics,
  };
}

function tlsOf(given: Words, environment: Environment): Serve['tls'] {
  const { 'tls-cert': cert, 'tls-key': key } = given;
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Error('--tls-cert and --tls-key belong together.');
  const { EVENT_STORE_PASSWORD: password } = readConfig(environment, {
    EVENT_STORE_PASSWORD: z.string('is not set: with TLS the user admin needs a password').min(8),
  });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8'), password };
}

function bytesOf(text: string | undefined): number {
  if (text === undefined) return defaultMaxAppendBytes;
  const bytes = Number(text);
  if (Number.isInteger(bytes) && bytes >= 1_024 && bytes <= mostAppendBytes) return bytes;
  throw new Error(`--max-append-bytes is a whole number from 1024 to ${mostAppendBytes}, not ${text}.`);
}

function addressOf(word: string, text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? plain;
  if (host === undefined || port > 65_535) throw new Error(`${word} wants HOST:PORT, not ${text}.`);
  return { host, port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function wanted(given: Words, word: keyof Words): string {
  const value = given[word];
  if (value === undefined || value === '') throw new Error(`--${word} is missing.`);
  return value;
}

function only(given: Words, allowed: readonly (keyof Words)[]): Words {
  const other = (Object.keys(given) as (keyof Words)[]).find((word) => !allowed.includes(word));
  if (other !== undefined) throw new Error(`--${other} does not belong to this command.`);
  return given;
}
