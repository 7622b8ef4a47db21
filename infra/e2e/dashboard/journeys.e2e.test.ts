/** What people do with the dashboard, in a real browser against the whole product with the real kubectl beside it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureUiOfClone } from '../../standalone/ensure-ui.ts';
import { complaintsOf, launchBrowser, signInAt } from '../parts/browser.ts';
import { calling } from '../parts/dashboard.ts';
import { kubectl } from '../parts/kubectl.ts';
import { newPerson, newPlace, processesOf, startProduct, until, type Person, type Product } from '../parts/product.ts';

const newest = kubectl('1.35');
const patienceMs = 20_000;

let product: Product;
let browser: Browser;
let terminal: Person;
const contexts: BrowserContext[] = [];
const complaints: (readonly string[])[] = [];

beforeAll(async () => {
  ensureUiOfClone((line) => console.log(line));
  product = await startProduct(await newPlace());
  browser = await launchBrowser({ trust: [product.caPem()] });
  terminal = newPerson();
});
afterEach(async () => {
  // UI-02: whatever was opened, nothing of it needed what the policy forbids.
  expect(
    complaints
      .splice(0)
      .flat()
      .filter((one) => /Content Security Policy|exception/.test(one)),
  ).toEqual([]);
  for (const context of contexts.splice(0)) await context.close();
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
  terminal?.remove();
});

/** A page on which the person is signed in, at the given path. */
async function pageOf(username: string, path = '/home'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  complaints.push(complaintsOf(page));
  await signInAt(page, product, { username });
  if (path !== '/home') await page.goto(`${product.url}${path}`);
  return page;
}

const heading = (page: Page, name: string): Locator => page.getByRole('heading', { level: 1, name });
const button = (scope: Page | Locator, name: string | RegExp): Locator =>
  scope.getByRole('button', { name, exact: typeof name === 'string' });

describe('the build', () => {
  it('stands ready with compressed forms beside its assets', () => {
    const dist = join(import.meta.dirname, '..', '..', '..', 'ui', 'dist');
    expect(existsSync(join(dist, 'index.html.br'))).toBe(true);
  });
});

describe('signing in', () => {
  it.each([
    ['admin', ['Home', 'Clusters', 'Requests', 'Grants', 'People', 'Roles', 'Audit'], true],
    ['dev', ['Home', 'Clusters', 'Requests', 'Grants', 'Roles'], true],
    ['auditor', ['Home', 'Clusters', 'Requests', 'Grants', 'People', 'Roles', 'Audit'], false],
  ])('shows %s what is theirs, without a complaint of the browser', async (username, places, mayAsk) => {
    const context = await browser.newContext();
    contexts.push(context);
    const page = await context.newPage();
    const said = complaintsOf(page);
    await signInAt(page, product, { username });
    await heading(page, 'Home').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('navigation', { name: 'Main' }).getByRole('link').allInnerTexts()).toEqual(places);
    expect(await button(page, 'Ask for access').count()).toBeGreaterThanOrEqual(mayAsk ? 1 : 0);
    expect((await button(page, 'Ask for access').count()) > 0).toBe(mayAsk);
    expect(said).toEqual([]);
  });

  it('leads back to the filtered list that a link named', async () => {
    const context = await browser.newContext();
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(`${product.url}/audit?category=roles&range=all`);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.locator('input[name=username]').fill('admin');
    await page.locator('input[name=password]').fill('admin');
    await page.locator('form button').first().click();
    await heading(page, 'Audit').waitFor();
    expect(page.url()).toBe(`${product.url}/audit?category=roles&range=all`);
    // The two roles of the seed and the head of the table.
    await expect.poll(() => page.getByRole('table').getByRole('row').count()).toBe(3);
  });
});

describe('access on request', () => {
  it('is asked for, approved elsewhere, used with kubectl, revoked, and then refused', async () => {
    const dev = await pageOf('dev');
    await heading(dev, 'Home').waitFor();
    await button(dev, 'Ask for access').first().click();
    const ask = dev.getByRole('dialog');
    await ask.getByLabel('Cluster').selectOption({ label: 'demo' });
    await ask.getByLabel('Role').selectOption({ label: 'k8s-viewer' });
    await ask.getByLabel('Why').fill('look at the pods');
    await button(ask, 'Ask').click();
    await dev.getByText('Waiting for a decision').waitFor();

    const admin = await pageOf('admin', '/access/requests?tab=review');
    await admin.getByRole('link', { name: /k8s-viewer/ }).click();
    await heading(admin, 'k8s-viewer on demo').waitFor();
    await button(admin, '30m').click();
    await button(admin, 'Approve').click();
    await admin.getByText('Active', { exact: true }).first().waitFor();

    // Nobody presses anything on dev's page: it is told.
    const card = dev.getByRole('region', { name: 'Clusters you can reach' });
    await card.getByText('clustral kube login demo').waitFor();
    await card.getByText(/left/).waitFor();

    expect((await terminal.signIn(product, 'dev')).code).toBe(0);
    expect((await terminal.clustral('kube', 'login', 'demo')).code).toBe(0);
    expect((await terminal.kubectl(newest, ['get', 'pods', '-A'])).stdout).toContain('Running');

    await admin.goto(`${product.url}/access/grants`);
    await button(admin.getByRole('row', { name: /demo/ }), 'Revoke').click();
    await admin.getByText(/1 live credential stops working/).waitFor();
    await admin
      .getByRole('dialog')
      .getByLabel(/^Reason/)
      .fill('enough');
    await button(admin.getByRole('dialog'), 'Revoke').click();
    await admin.getByText('Nobody has access on request').waitFor();

    await dev.getByText('You have no access yet').waitFor();
    const refused = await terminal.kubectl(newest, ['get', 'pods', '-A']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('demo');
  });

  it('cannot be approved by whoever asked; who denies it says why', async () => {
    const dev = await pageOf('dev', '/home?ask=any');
    const ask = dev.getByRole('dialog');
    await ask.getByLabel('Cluster').selectOption({ label: 'demo' });
    await ask.getByLabel('Role').selectOption({ label: 'k8s-admin' });
    await button(ask, 'Ask').click();
    await dev.getByRole('link', { name: /k8s-admin/ }).click();
    await button(dev, 'Take it back').waitFor();
    expect(await button(dev, 'Approve').count()).toBe(0);
    const id = new URL(dev.url()).pathname.split('/').at(-1);
    const approving = await calling(dev, 'AccessService/ApproveAccessRequest', { id });
    expect(approving.json).toMatchObject({ code: 'permission_denied' });

    const admin = await pageOf('admin', '/access/requests?tab=review');
    await admin.getByRole('link', { name: /k8s-admin/ }).click();
    await button(admin, 'Deny…').click();
    await admin.getByLabel(/^Reason/).fill('viewer is enough');
    await button(admin, 'Deny').click();
    await dev.getByText('viewer is enough').waitFor();
  });
});

describe('a cluster', () => {
  it('is registered with a token that is shown once and a list that waits for its agent', async () => {
    const admin = await pageOf('admin', '/clusters/new');
    await admin.getByLabel('Name').fill('warehouse');
    await admin.getByLabel(/^Labels/).fill('env=prod');
    await button(admin, 'Register').click();
    await admin.getByText('Waiting for an agent to redeem the token.').waitFor();
    await button(admin, 'Show').click();
    const token = await admin.locator('[data-token]').innerText();
    expect(token.length).toBeGreaterThan(40);
    for (const command of await admin.locator('pre').allInnerTexts()) expect(command).not.toContain(token);
    await admin.getByRole('link', { name: 'To the cluster' }).click();
    await heading(admin, 'warehouse').waitFor();
    await admin.getByText('env=prod').waitFor();
    await admin.goBack();
    await admin.getByLabel('Name').waitFor();
    expect(await admin.content()).not.toContain(token);
  });

  it('is deleted only by somebody who types its name', async () => {
    const admin = await pageOf('admin', '/clusters/warehouse');
    await button(admin, 'Delete').click();
    const dialog = admin.getByRole('dialog');
    expect(await button(dialog, 'Delete for good').isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('warehouse');
    await button(dialog, 'Delete for good').click();
    await heading(admin, 'Clusters').waitFor();
    await expect.poll(() => admin.getByRole('link', { name: 'warehouse' }).count()).toBe(0);
  });
});

describe('roles and people', () => {
  it('a role is created, given to a person, and shows on their page', async () => {
    const admin = await pageOf('admin', '/roles/new');
    await admin.getByLabel('Name').fill('k8s-deployer');
    await admin.getByLabel('Kubernetes groups').fill('clustral:deployers');
    await button(admin, 'Create').click();
    await heading(admin, 'k8s-deployer').waitFor();

    await admin.goto(`${product.url}/people`);
    await admin.getByRole('link', { name: 'Dev User' }).click();
    await button(admin, 'Give a role').click();
    const dialog = admin.getByRole('dialog');
    await dialog.getByLabel('Cluster').selectOption({ label: 'demo' });
    await dialog.getByLabel('Role').selectOption({ label: 'k8s-deployer' });
    await button(dialog, 'Give the role').click();
    await admin.getByRole('table', { name: 'Standing roles' }).getByText('k8s-deployer').waitFor();

    const dev = await pageOf('dev');
    await dev.getByText('Standing role, no end').waitFor();
  });

  it('a page that is not theirs tells a developer who may', async () => {
    const dev = await pageOf('dev', '/audit');
    await dev.getByText('Not yours to see').waitFor();
    await dev.getByText('FORBIDDEN').waitFor();
  });
});

describe('the audit log', () => {
  it('gives the same event to everybody who has its address', async () => {
    const admin = await pageOf('admin', '/audit?code=CAR002I&range=all');
    await admin
      .getByRole('row', { name: /CAR002I/ })
      .first()
      .getByRole('link')
      .click();
    await admin.getByText('Log position').waitFor();
    const address = admin.url();
    expect(address).toContain('sel=');

    const auditor = await pageOf('auditor', address.slice(product.url.length));
    await auditor.getByText('Log position').waitFor();
    await auditor.getByRole('complementary', { name: 'Event' }).getByText('CAR002I access_request.approved').waitFor();
    await auditor.getByRole('link', { name: 'All done under this request' }).click();
    await auditor.getByRole('table').getByText('proxy.request').first().waitFor();
  });
});

describe('live updates', () => {
  it('go on by themselves after the gateway died, and nothing that happened since is missed', async () => {
    const admin = await pageOf('admin', '/roles');
    await admin.getByRole('link', { name: 'k8s-viewer' }).waitFor();
    process.kill(processesOf(product).get('gateway') ?? 0, 'SIGKILL');
    const operator = newPerson();
    try {
      await until(
        () =>
          operator.signIn(product, 'admin').then(
            ({ code }) => code === 0,
            () => false,
          ),
        {
          limitMs: patienceMs,
          what: () => 'the gateway answering again',
        },
      );
      const made = await operator.clustral('roles', 'create', 'made-elsewhere', '--group', 'clustral:elsewhere');
      expect(made.code, made.stderr).toBe(0);
    } finally {
      operator.remove();
    }
    await admin.getByRole('link', { name: 'made-elsewhere' }).waitFor();
  });
});
