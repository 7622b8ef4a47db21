/**
 * A real nginx in front of a gateway, with the very file that users are given (`infra/nginx/clustral.conf`): only what the file calls
 * "yours" is replaced. The web server of the system is used, or installed by `nginx/install` where that is possible.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './product.ts';

/** What nginx does when nobody tells it otherwise takes a minute; here it takes as long as a test may. */
export const shortDefaults = 'proxy_read_timeout 2s; proxy_send_timeout 2s; send_timeout 2s; client_body_timeout 2s;';

const configuration = join(import.meta.dirname, '..', '..', 'nginx', 'clustral.conf');
const install = join(import.meta.dirname, 'nginx', 'install');

export type NginxOptions = {
  readonly port: number;
  readonly gatewayPort: number;
  readonly webPort: number;
  /** PEM files, the certificate for `localhost`. */
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Directives in the `http` block, ahead of the file: other defaults than nginx's own, which the file must not rely on. */
  readonly defaults?: string;
  /** Locations of the test's own. */
  readonly locations?: string;
};

export type Nginx = {
  readonly port: number;
  /** Applies the configuration again, as an operator does after renewing the certificate. */
  reload(): void;
  stop(): Promise<void>;
};

/** What this machine lacks to run it; undefined when nothing. */
export function missingForNginx(): string | undefined {
  const found = spawnSync(install, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  return found.status === 0 ? undefined : `nginx, and a way to install it: ${found.stderr.trim()}`;
}

/** Starts it; resolves when it listens. Throws with what it printed when it does not come up. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  mkdirSync(join(folder, 'tmp'));
  // Started by root, its workers are somebody else, and write the bodies of requests below this folder.
  chmodSync(folder, 0o711);
  const main = join(folder, 'nginx.conf');
  writeFileSync(main, mainConfiguration(folder, options));
  writeFileSync(join(folder, 'clustral.conf'), filledIn(readFileSync(configuration, 'utf8'), options));
  const child = spawn('nginx', ['-p', folder, '-c', main, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(() => isListening(options.port), {
    limitMs: 10_000,
    what: () => `nginx on port ${options.port}: ${said}`,
    failed: () => child.exitCode !== null,
  });
  return {
    port: options.port,
    reload: () => void child.kill('SIGHUP'),
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

function mainConfiguration(folder: string, { defaults = '' }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/tmp/${name};`)
    .join(' ');
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 1024; }
http { access_log off; ${temporary} ${defaults} include ${folder}/clustral.conf; }
`;
}

/** The file with its values replaced. Each must be there: a file that has changed must not be tested half. */
function filledIn(text: string, options: NginxOptions): string {
  const replacements: readonly (readonly [string, string])[] = [
    ['server 127.0.0.1:8080;', `server 127.0.0.1:${options.gatewayPort};`],
    ['server 127.0.0.1:3000;', `server 127.0.0.1:${options.webPort};`],
    ['listen 443 ssl;\n  http2 on;', listening(options.port)],
    ['server_name clustral.example.com;', 'server_name localhost;'],
    ['/etc/nginx/tls/clustral.crt', options.certificatePath],
    ['/etc/nginx/tls/clustral.key', options.keyPath],
    ['  location / {', `${options.locations ?? ''}\n  location / {`],
  ];
  return replacements.reduce((so, [from, to]) => {
    if (!so.includes(from)) throw new Error(`infra/nginx/clustral.conf has no '${from}' to replace`);
    return so.replace(from, to);
  }, text);
}

/** nginx has `http2 on` since 1.25; the systems of today still bring older ones. */
function listening(port: number): string {
  const [, minor = '0'] = /nginx\/1\.(\d+)/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr) ?? [];
  return Number(minor) < 25 ? `listen 127.0.0.1:${port} ssl http2;` : `listen 127.0.0.1:${port} ssl;\n  http2 on;`;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
