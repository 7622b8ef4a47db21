/** `clustral` with a person in front of it: the offer to sign in again, questions, colours. On a real terminal, or it says that there is none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approveDevice } from '../../infra/embedded/identity-provider/sign-in.ts';
import { RoleSchema } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import type { Account } from '../profile.ts';
import { exampleRequest } from '../testing/access-api.ts';
import { longAgo, signedIn, type SignedIn } from '../testing/signed-in.ts';
import { missingTerminal, startOnTerminal, type OnTerminal } from '../testing/terminal.ts';

let me: SignedIn;
let good: Account;
beforeAll(async () => {
  me = await signedIn();
  good = me.account();
});
afterAll(() => me.close());
beforeEach(() => me.reset());
afterEach(() => me.changeAccount(good));

/** The test, or where there is no terminal a line that says why it is not tried. */
const seen = <A extends unknown[]>(test: (...args: A) => Promise<void>): ((...args: A) => Promise<void>) => {
  const missing = missingTerminal();
  if (missing === undefined) return test;
  return async () => void process.stdout.write(`not tried: ${missing}\n`);
};
const start = (line: string, environment?: Record<string, string>): OnTerminal =>
  startOnTerminal(me.home, line, environment);
const endSession = (): void => me.changeAccount({ accessTokenExpiresAt: longAgo, refreshToken: 'not-a-token' });
const question = /Session expired\. Login again\? \[Y\/n\] $/;

describe('a session that has ended', () => {
  it(
    'is offered anew, and the command goes on with the new one',
    seen(async () => {
      endSession();
      const listing = start('clusters list --no-color');
      await listing.showed(question);
      listing.type('\n');
      const [, link = ''] = await listing.showed(/or open (https:\S+)\n/);
      await approveDevice({ verificationUriComplete: link, username: 'dev', password: 'dev', ca: me.installation.ca });
      const { code, screen } = await listing.finished();
      expect(code).toBe(0);
      expect(screen).toContain(`Signed in to ${me.installation.origin} as dev@clustral.local.\n`);
      expect(screen).toMatch(/NAME {3}STATUS {6}KUBERNETES {3}AGENT {3}AGE\nprod {3}Connected/);
      good = me.account();
      expect(Date.parse(good.accessTokenExpiresAt)).toBeGreaterThan(Date.now());
    }),
  );

  it(
    'ends with 4 when the person does not want a new one',
    seen(async () => {
      endSession();
      const listing = start('clusters list --no-color');
      await listing.showed(question);
      listing.type('n\n');
      expect(await listing.finished()).toMatchObject({
        code: 4,
        screen: expect.stringContaining(
          `error: the session of dev@clustral.local on ${me.installation.origin} has ended`,
        ),
      });
    }),
  );

  it.each([
    ['clusters list --no-input', {}],
    ['clusters list', { CI: 'true' }],
    ['kube credential --cluster prod', {}],
  ])(
    'asks nothing: %s %o',
    seen(async (line, environment) => {
      endSession();
      const { code, screen } = await start(line, environment as Record<string, string>).finished();
      expect([code, screen]).toEqual([4, expect.stringContaining('has ended')]);
      expect(screen).not.toContain('Login again?');
    }),
  );

  it(
    'asks nothing where that is set',
    seen(async () => {
      endSession();
      await me.run('config set auto-login never');
      const { code, screen } = await start('clusters list').finished();
      await me.run('config set auto-login ask');
      expect([code, screen]).toEqual([4, expect.not.stringContaining('Login again?')]);
    }),
  );

  it(
    'is not asked about while it lives, nor when nobody is signed in',
    seen(async () => {
      expect(await start('clusters list -o name').finished()).toEqual({ code: 0, screen: 'cluster/prod\n' });
      expect(await start('clusters list --profile nobody --no-color').finished()).toEqual({
        code: 4,
        screen: 'error: nobody is signed in (profile nobody)\n  fix:  clustral login <host>\n',
      });
    }),
  );
});

describe('on a terminal', () => {
  it.each([
    [
      'profiles list',
      (origin: string) => `PROFILE     CONTROLPLANE URL         STATUS\n● default   ${origin}   active\n`,
    ],
    ['accounts list', () => 'ACCOUNT                  SESSION\n● dev@clustral.local   renews itself\n'],
    ['whoami', () => '● dev@clustral.local (renews itself)\n'],
  ])(
    '%s is aligned and has colours that NO_COLOR takes away',
    seen(async (line, shown) => {
      const [colored, plain, withoutFlag] = await Promise.all([
        start(line).finished(),
        start(line, { NO_COLOR: '1' }).finished(),
        start(`${line} --no-color`).finished(),
      ]);
      expect(plain).toEqual(withoutFlag);
      expect(plain.screen.replaceAll(/ +/g, ' ')).toBe(shown(me.installation.origin).replaceAll(/ +/g, ' '));
      expect(colored.screen).toContain('\u001b[32m●');
      // oxlint-disable-next-line no-control-regex -- the colours
      expect(colored.screen.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain.screen);
    }),
  );

  it(
    'access request asks which role, until it is told one',
    seen(async () => {
      me.installation.state.roles.push(
        create(RoleSchema, { id: crypto.randomUUID(), name: 'k8s-admin', k8sGroups: ['system:masters'] }),
      );
      const asking = start('access request prod --for 30m --no-color');
      await asking.showed(
        /Which role\?\n {2}1 {3}k8s-viewer \(clustral:viewers\)\n {2}2 {3}k8s-admin \(system:masters\)\nNumber from 1 to 2: $/,
      );
      asking.type('3\n');
      await asking.showed(/'3' is none of them\.\nNumber from 1 to 2: $/);
      asking.type('2\n');
      const { code, screen } = await asking.finished();
      expect([code, screen]).toEqual([0, expect.stringContaining('asks for k8s-admin on prod for 30m')]);
      expect(me.installation.state.requests).toMatchObject([{ roleName: 'k8s-admin' }]);
    }),
  );

  it(
    'access list has short ids, and takes them back',
    seen(async () => {
      me.installation.state.requests = [exampleRequest()];
      const { screen } = await start('access list --no-color').finished();
      expect(screen).toMatch(
        /^ID {9}STATUS {4}REQUESTER {11}CLUSTER {3}ROLE {9}FOR {3}ASKED {3}UNTIL {4}REASON\n7f3c1a2b {3}Pending /,
      );
      expect((await start('access withdraw 7f3c1a2b --no-color').finished()).code).toBe(0);
    }),
  );

  it(
    'config clean shows what it would remove, asks, and takes Enter for no',
    seen(async () => {
      const cleaning = start('config clean --no-color');
      await cleaning.showed(/Remove all of this\? \[y\/N\] $/);
      cleaning.type('\n');
      const { code, screen } = await cleaning.finished();
      expect(code).toBe(1);
      expect(screen).toContain(`  account  dev@clustral.local on ${me.installation.origin}\n`);
      expect(screen).toContain('Nothing was removed.\n');
      expect(existsSync(join(me.profile, 'config.json'))).toBe(true);
    }),
  );
});
