/** The flags of `npm start`: parsed strictly, an unknown one is a usage error and nothing is started. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export type Options = {
  readonly dataFolder: string;
  readonly port: number;
  readonly tunnelPort: number;
  /** Name or address by which agents on other machines reach the tunnel; undefined when only this machine's do. */
  readonly tunnelHost: string | undefined;
  /** Path of a kubeconfig whose cluster shall be served too. */
  readonly kubeconfig: string | undefined;
};

const flags = {
  data: { type: 'string' },
  port: { type: 'string' },
  'tunnel-port': { type: 'string' },
  'tunnel-host': { type: 'string' },
  kubeconfig: { type: 'string' },
} as const;

/** A sentence for the person who typed the command; the process ends with exit code 2. */
export class UsageError extends Error {}

/** Reads the flags; `CLUSTRAL_DATA` is the default of `--data`, `.data` in the clone the default of that. */
export function parseOptions(
  args: readonly string[],
  environment: { readonly CLUSTRAL_DATA?: string | undefined },
): Options {
  const { data, port, 'tunnel-port': tunnelPort, 'tunnel-host': tunnelHost, kubeconfig } = flagsOf(args);
  const options = {
    dataFolder: resolve(data ?? environment.CLUSTRAL_DATA ?? '.data'),
    port: portOf('--port', port ?? '8443'),
    tunnelPort: portOf('--tunnel-port', tunnelPort ?? '5443'),
    tunnelHost: tunnelHost === undefined ? undefined : hostOf('--tunnel-host', tunnelHost),
    kubeconfig: kubeconfig === undefined ? undefined : resolve(kubeconfig),
  };
  if (options.port === options.tunnelPort) throw new UsageError('--port and --tunnel-port must differ.');
  return options;
}

type Flags = { readonly [flag in keyof typeof flags]?: string };

function flagsOf(args: readonly string[]): Flags {
  try {
    return parseArgs({ args: [...args], options: flags }).values;
  } catch (cause) {
    const reason = (cause as Error).message.split('.')[0] ?? '';
    throw new UsageError(
      `${reason}. Usage: npm start -- [--data DIR] [--port N] [--tunnel-port N] [--tunnel-host NAME] [--kubeconfig FILE]`,
    );
  }
}

function hostOf(flag: string, text: string): string {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text)) return text;
  throw new UsageError(`${flag} must be a name or an IPv4 address, not '${text.slice(0, 100)}'.`);
}

function portOf(flag: string, text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new UsageError(`${flag} must be a port from 1 to 65535, not '${text}'.`);
  return port;
}
