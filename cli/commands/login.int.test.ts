/** `clustral login` as a process against the real embedded identity provider. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approveDevice } from '../../infra/embedded/identity-provider/sign-in.ts';
import { makeLocalhostCertificate } from '../../infra/embedded/identity-provider/testing/certificate.ts';
import { exampleState, refusal } from '../testing/api.ts';
import { answerOf, makeHome, signIn, type Home } from '../testing/command-line.ts';
import { answerJson, documentOf, startInstallation, type Installation } from '../testing/installation.ts';
import { fingerprint } from '../trust.ts';

let installation: Installation;
let home: Home;
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());
beforeEach(() => {
  Object.assign(installation.state, exampleState());
  installation.discovery = (_request, response) => answerJson(response, documentOf(installation.origin));
  home = makeHome();
});
afterEach(() => home.remove());

const signInAddress = /\n {2}(https:\S+)\n/;

/** Every file of the home with its mode, the compiled code aside. */
function filesAtRest(): Record<string, string> {
  const root = join(home.path, '.clustral');
  const found = existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : [];
  return Object.fromEntries(
    found
      .filter((path) => !path.startsWith('compile-cache'))
      .map((path) => [path, (statSync(join(root, path)).mode & 0o777).toString(8)]),
  );
}

const profileFile = (): string => join(home.path, '.clustral', 'profiles', 'default', 'config.json');

describe('signing in with a browser', () => {
  it('asks with PKCE, state and nonce, says who one is, and keeps everything private (ID-10, ID-12)', async () => {
    const login = home.start(['login', installation.origin, '--no-browser']);
    const [, address = ''] = await login.said(signInAddress);
    const asked = new URL(address).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'clustral-cli',
      code_challenge_method: 'S256',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    });
    for (const name of ['code_challenge', 'state', 'nonce']) expect(asked.get(name)?.length).toBeGreaterThan(40);

    const page = await fetch(await answerOf(installation, address, 'admin'));
    expect(await page.text()).toContain(`You are admin@clustral.local on ${installation.origin}.`);
    const { code, stdout, stderr } = await login.finished();
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`Trusting the CA of ${new URL(installation.origin).host} from now on.`);
    expect(stderr).toContain(fingerprint(installation.ca));
    expect(stderr).toContain(`Signed in to ${installation.origin} as admin@clustral.local.`);
    expect(stderr).toContain('next: clustral kube login prod');

    const modes = filesAtRest();
    expect(Object.keys(modes)).toEqual(
      expect.arrayContaining([
        'profiles/default/config.json',
        expect.stringMatching(/^profiles\/default\/accounts\/[0-9a-f]{64}\.json$/),
      ]),
    );
    for (const [path, mode] of Object.entries(modes))
      expect([path, mode]).toEqual([path, path.endsWith('.json') ? '600' : '700']);
    expect(statSync(join(home.path, '.clustral')).mode & 0o777).toBe(0o700);
    expect(await home.run(['whoami'])).toMatchObject({
      code: 0,
      stdout: '● admin@clustral.local (renews itself)\n',
    });
  });

  it('goes on waiting whatever else comes to its port (ID-10)', async () => {
    const login = home.start(['login', installation.origin, '--no-browser']);
    const [, address = ''] = await login.said(signInAddress);
    const redirect = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
    for (const path of ['/', '/favicon.ico', '/callback?code=x&state=bad', '//'])
      expect((await fetch(redirect.origin + path)).status).toBeGreaterThanOrEqual(400);
    await fetch(await answerOf(installation, address, 'dev'));
    expect((await login.finished()).code).toBe(0);
  });

  it('shows a refusal without obeying it, in the page and in the terminal (ID-10)', async () => {
    const login = home.start(['login', installation.origin, '--no-browser']);
    const [, address = ''] = await login.said(signInAddress);
    const asked = new URL(address).searchParams;
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.search = String(
      new URLSearchParams({
        error: 'access_denied',
        error_description: '\u001b]0;x\u0007<script>alert(1)</script>',
        state: asked.get('state') ?? '',
        iss: `${installation.origin}/realms/clustral`,
      }),
    );
    const page = await fetch(back);
    expect(page.status).toBe(400);
    expect(await page.text()).not.toContain('<script>');
    const { code, stderr } = await login.finished();
    expect(code).toBe(4);
    expect(stderr).toContain('refused the sign-in: \\u001b]0;x\\u0007<script>');
    expect(stderr).not.toContain('\u001b');
    expect(filesAtRest()).toEqual({});
  });

  it('refuses an answer that names another issuer', async () => {
    const login = home.start(['login', installation.origin, '--no-browser']);
    const [, address = ''] = await login.said(signInAddress);
    const back = await answerOf(installation, address, 'dev');
    back.searchParams.set('iss', 'https://evil.example');
    expect((await fetch(back)).status).toBe(400);
    expect((await login.finished()).code).toBe(4);
    expect(filesAtRest()).toEqual({});
  });

  it('keeps nothing when the server does not take the person', async () => {
    installation.state.refuse = () => {
      throw refusal('USER_NAME_TAKEN', "The name 'dev' belongs to somebody else.");
    };
    const { code, stderr } = await signIn(home, installation);
    expect(code).toBe(5);
    expect(stderr).toContain("error: The name 'dev' belongs to somebody else.   USER_NAME_TAKEN");
    expect(filesAtRest()).toEqual({});
  });

  it('keeps nothing when the server wants a newer tool', async () => {
    installation.state.minimumCliVersion = '9.0.0';
    const { code, stderr } = await signIn(home, installation);
    expect(code).toBe(8);
    expect(stderr).toContain('needs clustral 9.0.0 or newer');
    expect(filesAtRest()).toEqual({});
  });

  it('is not repeated while the session is valid', async () => {
    await signIn(home, installation);
    expect(await home.run(['login'])).toMatchObject({ code: 0, stderr: expect.stringContaining('Already signed in') });
  });
});

describe('signing in with a device code', () => {
  it('shows code and address, and waits until somebody entered it', async () => {
    const login = home.start(['login', installation.origin, '--device']);
    const [, link = ''] = await login.said(/or open (https:\S+)\n/);
    await approveDevice({ verificationUriComplete: link, username: 'dev', password: 'dev', ca: installation.ca });
    const { code, stderr } = await login.finished();
    expect(code).toBe(0);
    expect(stderr).toMatch(/open https:\S+ on any device and enter the code within \w+\n\n {2}[A-Z]{4}-[A-Z]{4}\n/);
    expect(stderr).toContain('as dev@clustral.local');
  });
});

describe('signing in where nobody is', () => {
  it.each([
    ['--no-input', ['--no-input'], {}],
    ['CI', [], { CI: 'true' }],
  ])('ends at once with exit code 4: %s', async (_why, flags, environment) => {
    const { code, stderr } = await home.run(['login', installation.origin, ...flags], environment);
    expect(code).toBe(4);
    expect(stderr).toContain('a sign-in needs a person');
  });
});

describe('a hostile discovery document (ID-11)', () => {
  it('ends the sign-in: nothing is kept and no token goes anywhere', async () => {
    installation.discovery = (_request, response) =>
      answerJson(response, { ...documentOf(installation.origin), controlPlaneUrl: 'https://evil.example' });
    const { code, stderr } = await home.run(['login', installation.origin, '--no-browser']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('names another server for its API (https://evil.example)'),
    ]);
    expect(filesAtRest()).toEqual({});
    expect(installation.state.calls).toEqual([]);
  });
});

describe('trust', () => {
  it('that was given once is not moved to another CA by itself, only by --force on this machine', async () => {
    await signIn(home, installation);
    const saved = JSON.parse(readFileSync(profileFile(), 'utf8'));
    const { certificate } = makeLocalhostCertificate(new Date());
    writeFileSync(profileFile(), JSON.stringify({ ...saved, caPem: certificate }));

    const refused = await home.run(['login']);
    expect(refused).toMatchObject({ code: 7, stderr: expect.stringContaining('does not trust') });
    expect(refused.stderr).toContain('--force');
    expect((await home.run(['clusters', 'list'])).code).toBe(7);

    const login = home.start(['login', '--force', '--no-browser']);
    const [, address = ''] = await login.said(signInAddress);
    await fetch(await answerOf(installation, address, 'dev'));
    expect(await login.finished()).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(fingerprint(installation.ca)),
    });
  });

  it('comes from a file or a pin where it is given, and a wrong pin stops everything', async () => {
    const file = join(home.path, 'ca.pem');
    writeFileSync(file, installation.ca);
    const byFile = home.start(['login', installation.origin, '--no-browser', '--ca-file', file]);
    await byFile.said(signInAddress);
    byFile.child.kill('SIGKILL');
    await byFile.finished();

    const wrong = await home.run(['login', installation.origin, '--no-browser', '--ca-pin', 'AB:CD']);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('is not the pinned one') });
    expect(filesAtRest()).toEqual({});
  });
});
