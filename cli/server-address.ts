/** The address of a server as typed: https unless it says otherwise, plain http on this machine only. */
import { CliError, exitCodes } from './failure.ts';
import { visible } from './text.ts';

/** The server that is meant: the typed one, else the known one. Throws a usage error for what is no address of a server. */
export function serverAddress(typed: string | undefined, known: string | undefined): URL {
  const text = typed ?? known;
  if (text === undefined)
    throw new CliError(exitCodes.usage, 'no server is known yet', 'clustral login https://<host>');
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new CliError(
      exitCodes.usage,
      `'${visible(text)}' is not the address of a server`,
      'clustral login https://<host>',
    );
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new CliError(
      exitCodes.usage,
      'a server without TLS is taken on this machine only',
      `clustral login https://${url.host}`,
    );
  return url;
}

/** True for a host that is this machine: nobody sits between. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host) || host === '[::1]';
}
