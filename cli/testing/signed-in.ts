/** A person who is signed in: an installation, a home, and the files that the sign-in left there. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Account } from '../profile.ts';
import { exampleState } from './api.ts';
import { makeHome, signIn, type Finished, type Home } from './command-line.ts';
import { startInstallation, type Installation } from './installation.ts';

export type SignedIn = {
  readonly installation: Installation;
  readonly home: Home;
  /** Folder of the profile. */
  readonly profile: string;
  run(line: string, environment?: Record<string, string>): Promise<Finished>;
  account(): Account;
  changeAccount(change: Partial<Account>): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- any YAML
  kubeconfig(): any;
  /** How often a method was called since the last reset. */
  calls(method: string): number;
  /** The example again: state, kubeconfig and caches as after the sign-in. */
  reset(): void;
  close(): Promise<void>;
};

export const longAgo = '2026-01-01T00:00:00.000Z';

export async function signedIn(): Promise<SignedIn> {
  const installation = await startInstallation();
  const home = makeHome();
  const { code, stderr } = await signIn(home, installation);
  if (code !== 0) throw new Error(`the sign-in failed: ${stderr}`);
  const profile = join(home.path, '.clustral', 'profiles', 'default');
  const accountFile = (): string => join(profile, 'accounts', readdirSync(join(profile, 'accounts'))[0] ?? '');
  const account = (): Account => JSON.parse(readFileSync(accountFile(), 'utf8'));
  return {
    installation,
    home,
    profile,
    run: (line, environment) => home.run(line.split(' '), environment),
    account,
    changeAccount: (change) => writeFileSync(accountFile(), JSON.stringify({ ...account(), ...change })),
    kubeconfig: () => parse(readFileSync(join(home.path, '.kube', 'config'), 'utf8')),
    calls: (method) => installation.state.calls.filter((call) => call.method === method).length,
    reset() {
      Object.assign(installation.state, exampleState());
      for (const path of [join(home.path, '.kube'), join(profile, 'cache')])
        rmSync(path, { recursive: true, force: true });
    },
    async close() {
      await installation.close();
      home.remove();
    },
  };
}
