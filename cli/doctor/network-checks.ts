/** From the name of the server to a verified connection: what is known of it, proxy variables, DNS, TCP, TLS. Nothing is sent. */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once as happens } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { isLoopback } from '../server-address.ts';
import { span } from '../text.ts';
import { fail, ok, warn, type Check, type Finding } from './check.ts';
import { hostOf, portOf, serverOf, type Patient } from './patient.ts';

const soonMs = 14 * 86_400_000;

/** The checks of the way to the server. */
export function networkChecks(patient: Patient): readonly Check[] {
  return [
    { name: 'server', needs: [], run: async () => known(patient) },
    { name: 'proxy', needs: ['server'], run: async () => proxyFinding(patient.context.env, serverOf(patient).url) },
    { name: 'dns', needs: ['server'], run: () => resolved(serverOf(patient).url) },
    { name: 'tcp', needs: ['dns'], run: (signal) => connected(serverOf(patient).url, signal) },
    { name: 'tls', needs: ['tcp'], run: (signal) => verified(patient, signal) },
  ];
}

function known({ profile }: Patient): Finding {
  if (profile.config === undefined)
    return fail(`profile ${profile.name} knows no server yet`, 'clustral login https://<host>');
  return ok(`${profile.config.server} (profile ${profile.name})`);
}

/** kubectl goes through a proxy that these variables name; this tool never does. Only their names are said: a value may hold a password. */
export function proxyFinding(env: Readonly<Record<string, string | undefined>>, url: URL): Finding {
  const variables = url.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const set = variables.filter((name) => env[name]);
  if (set.length === 0) return ok('no proxy variable is set');
  const said = `${set.join(' and ')} ${set.length === 1 ? 'is' : 'are'} set`;
  if (isLoopback(url.hostname)) return ok(`${said}; nobody uses it for this machine itself`);
  if (isExcepted(url, env['NO_PROXY'] ?? env['no_proxy'] ?? ''))
    return ok(`${said}, and NO_PROXY excepts ${url.hostname}`);
  return warn(
    `${said}: kubectl goes through that proxy, clustral does not`,
    `add ${url.hostname} to NO_PROXY unless kubectl needs the proxy to reach it`,
  );
}

/** The rule of Go's programs, for names: a whole name, or the end of one behind a dot. */
function isExcepted({ hostname, host }: URL, list: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => {
      const name = entry.replace(/^\*?\./, '');
      return entry === '*' || entry === host || name === hostname || hostname.endsWith(`.${name}`);
    });
}

async function resolved(url: URL): Promise<Finding> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return ok(`${host} is an address`);
  const addresses = await lookup(host, { all: true });
  return ok(`${host} is ${addresses.map(({ address }) => address).join(', ')}`);
}

async function connected(url: URL, signal: AbortSignal): Promise<Finding> {
  const begun = performance.now();
  const socket = connect({ host: hostOf(url), port: portOf(url), signal });
  try {
    await happens(socket, 'connect', { signal });
    return ok(`port ${portOf(url)} answers in ${Math.round(performance.now() - begun)} ms`);
  } finally {
    socket.destroy();
  }
}

async function verified(patient: Patient, signal: AbortSignal): Promise<Finding> {
  const { url, config, cas } = serverOf(patient);
  if (url.protocol === 'http:') return ok('plain http, which never leaves this machine');
  const host = hostOf(url);
  const options: ConnectionOptions & { signal: AbortSignal } = {
    host,
    port: portOf(url),
    servername: isIP(host) === 0 ? host : '',
    ca: cas,
    signal,
  };
  const socket = connectTls(options);
  try {
    await happens(socket, 'secureConnect', { signal });
    return certificateFinding(leafOf(socket), config.caPem, patient.context.now().getTime());
  } finally {
    socket.destroy();
  }
}

const leafOf = (socket: TLSSocket): X509Certificate => new X509Certificate(socket.getPeerCertificate().raw);

/** A verified certificate, and whether it or the kept CA ends soon. `now` in milliseconds. */
export function certificateFinding(leaf: X509Certificate, caPem: string | undefined, now: number): Finding {
  const by = caPem === undefined ? "a CA of this machine's list" : 'the CA that was kept at the sign-in';
  for (const [what, one] of [['the certificate', leaf] as const, ...(caPem === undefined ? [] : [caOf(caPem)])]) {
    const [from, to] = [Date.parse(one.validFrom), Date.parse(one.validTo)];
    // What lives for days only is renewed late, and by a machine.
    if (to - now < Math.min(soonMs, (to - from) / 4))
      return warn(`${what} ends in ${span(to - now)}`, 'ask the operator to renew it');
  }
  return ok(`verified with ${by}, until ${new Date(leaf.validTo).toISOString().slice(0, 10)}`);
}

const caOf = (pem: string) => ['its CA', new X509Certificate(pem)] as const;
