/**
 * A sign-in from start to end: by browser or device code, then the first call to the server, and only when the server has taken the person are account
 * and profile written. `login` does it, and the offer to sign in again when a session has ended.
 */
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { UserService, type Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { openSession, type SessionOptions } from './client.ts';
import type { CliContext } from './context.ts';
import { accountKey, saveAccount, saveProfile, type Account, type Profile, type ProfileConfig } from './profile.ts';
import { signInWithBrowser, signInWithDevice } from './sign-in.ts';
import { whileNobodyRenews } from './token-keeper.ts';
import { requireVersion, version } from './version.ts';

export type NewSessionOptions = {
  readonly context: CliContext;
  readonly profile: Profile;
  /** The server to sign in to, as the profile will remember it. */
  readonly config: ProfileConfig;
  readonly call: Pick<SessionOptions, 'timeoutMs' | 'now' | 'trace'>;
  readonly device: boolean;
  readonly openBrowser: boolean;
  /** True to have the person asked although the browser is still signed in at the provider. */
  readonly askAnew: boolean;
  /** Who is expected, as a hint for the provider's form. */
  readonly expected?: string | undefined;
};

/** Signs in, keeps the account and makes it the profile's current one. Keeps nothing when the server does not take the person. */
export async function startSession(options: NewSessionOptions): Promise<{ account: Account; me: Me }> {
  const { context, profile, config, call, device, openBrowser, askAnew, expected } = options;
  const installation = { ...config, timeoutMs: call.timeoutMs };
  const signInOptions = { context, installation, openBrowser, askAnew, expected };
  const account = await (device ? signInWithDevice(signInOptions) : signInWithBrowser(signInOptions));
  const me = await introduce(options, account);
  await whileNobodyRenews(profile, account, () => saveAccount(profile, account));
  await saveProfile(profile, { ...config, account: accountKey(account) });
  return { account, me };
}

/** The first call with the new token. */
async function introduce({ profile, config, call }: NewSessionOptions, account: Account): Promise<Me> {
  const session = openSession({ profile, config, account, isKept: false, ...call });
  const [me, { minimumCliVersion }] = await Promise.all([
    session.client(UserService).getMe({}),
    session.client(SystemService).getVersion({}),
  ]);
  requireVersion(version, minimumCliVersion, config.server);
  return me;
}

/** True where a browser of this machine is of no use: reached by SSH, or nothing is there to open one. */
export function lacksBrowser(env: CliContext['env'], platform: NodeJS.Platform = process.platform): boolean {
  if (env['SSH_CONNECTION']) return true;
  if (platform === 'darwin' || platform === 'win32') return false;
  return !['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME', 'BROWSER'].some((name) => env[name]);
}
