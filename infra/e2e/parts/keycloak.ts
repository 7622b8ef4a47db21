/**
 * A real Keycloak for a suite: the scripts of `keycloak/` as one part that is started and ended, and what an administrator does to people and keys
 * while the product runs. What this machine lacks for it is named by `missingForKeycloak`.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const scripts = join(import.meta.dirname, 'keycloak');
/** The first start of all fetches 164 MB; every other takes 20 s. */
const startMs = 600_000;

export type KeycloakOptions = {
  readonly httpsPort: number;
  readonly httpPort: number;
  /** PEM files, the certificate for `localhost`. */
  readonly certificatePath: string;
  readonly keyPath: string;
};

export type Keycloak = {
  readonly issuer: string;
  /** Lets a person sign in no more, and no longer use what they have from it. */
  disable(username: string): Promise<void>;
  /** Ends all sessions of a person. */
  endSessions(username: string): Promise<void>;
  /** From now on signs with another key; the old one stays published. */
  rotateKeys(): Promise<void>;
  /** An access token of a client that is not ours. */
  foreignToken(username: string): Promise<string>;
  /** Leaves it running and answering nobody. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
};

/** What this machine lacks to run it, and cannot fetch; undefined when nothing. */
export function missingForKeycloak(): string | undefined {
  if (!has('java', '-version')) return 'Java 17 or newer';
  if (!has('setpriv', '--version') || !has('curl', '--version') || !has('flock', '--version'))
    return 'setpriv, curl and flock';
  const isFetched = has(
    'bash',
    '-c',
    'test -f "${REALPARTS_CACHE:-$HOME/.cache/clustral-realparts}"/keycloak-*/bin/kc.sh',
  );
  return isFetched || has('mvn', '--version') ? undefined : 'Maven, to fetch Keycloak with';
}

/** Starts it with the realm of the suites. Throws with what it said when it does not come up. */
export async function startKeycloak(options: KeycloakOptions): Promise<Keycloak> {
  const { httpsPort, httpPort, certificatePath, keyPath } = options;
  const ports = ['--https-port', String(httpsPort), '--http-port', String(httpPort)];
  const args = [join(scripts, 'up'), ...ports, '--certificate', certificatePath, '--key', keyPath];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what the script started can be frozen with it.
    detached: true,
  });
  const issuer = await ready(child).catch(async (cause: unknown) => {
    await end(child);
    throw cause;
  });
  return { issuer, ...administration(`http://127.0.0.1:${httpPort}`), ...processOf(child) };
}

const processOf = (child: ChildProcess): Pick<Keycloak, 'freeze' | 'thaw' | 'stop'> => {
  const signal = (name: NodeJS.Signals): void => void (child.pid !== undefined && process.kill(-child.pid, name));
  return {
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async stop() {
      if (child.exitCode === null) signal('SIGCONT');
      await end(child);
    },
  };
};

async function ready(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_096);
    if (chunk.toString().startsWith('fetching')) process.stdout.write(chunk);
  });
  if (child.stdout === null) throw new Error('the script has no output to read');
  const timer = setTimeout(() => child.kill(), startMs);
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('READY ')) continue;
    clearTimeout(timer);
    return line.slice('READY '.length);
  }
  clearTimeout(timer);
  throw new Error(`Keycloak did not come up: ${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

type Administration = Pick<Keycloak, 'disable' | 'endSessions' | 'rotateKeys' | 'foreignToken'>;

/** Its own administration API, as whoever operates it would use it. */
function administration(base: string): Administration {
  const token = async (realm: string, client: string, who: string): Promise<string> => {
    const answer = await fetch(`${base}/realms/${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: client,
        username: who,
        password: who,
        scope: 'openid',
      }),
    });
    const { access_token: accessToken } = (await answer.json()) as { access_token?: string };
    if (accessToken === undefined) throw new Error(`Keycloak gave ${who} no token: ${answer.status}`);
    return accessToken;
  };
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${base}/admin/realms/clustral/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await token('master', 'admin-cli', 'admin')}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Keycloak answered ${method} ${path} with ${answer.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const idOf = async (username: string): Promise<string> => {
    const [user] = (await call('GET', `users?username=${username}&exact=true`)) as { id: string }[];
    if (!user) throw new Error(`Keycloak knows no ${username}`);
    return user.id;
  };
  let priority = 1_000;
  return {
    disable: async (username) => void (await call('PUT', `users/${await idOf(username)}`, { enabled: false })),
    endSessions: async (username) => void (await call('POST', `users/${await idOf(username)}/logout`)),
    async rotateKeys() {
      priority += 1;
      await call('POST', 'components', {
        name: `key-${priority}`,
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: { priority: [String(priority)], enabled: ['true'], active: ['true'], algorithm: ['RS256'] },
      });
    },
    foreignToken: (username) => token('clustral', 'someone-else', username),
  };
}

const has = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;
