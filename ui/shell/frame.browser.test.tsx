/** What the frame does whatever page is open: palette, keys, commands for the terminal, theme, and what it says when the server is lost or the session ends. */
import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { enter, isAccessible, picture, shows, type Setting, type Stage } from '../testing/stage.tsx';
import * as samples from '../testing/samples.ts';

let stage: Stage;
afterEach(() => stage?.leave());

async function at(setting: Setting, text: string): Promise<void> {
  await page.viewport(1280, 900);
  stage = enter(setting);
  await shows(text);
}

describe('the palette', () => {
  it('opens by keyboard, finds, and goes there', async () => {
    await at({ path: '/roles' }, 'k8s-deployer');
    await userEvent.keyboard('{Control>}k{/Control}');
    await expect.element(page.getByRole('combobox')).toBeVisible();
    await userEvent.keyboard('prod');
    await expect.element(page.getByRole('option').first()).toMatchTextContent(/^prod-eu/);
    await isAccessible(stage);
    await picture(stage, 'palette');
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => stage.path()).toBe('/clusters/prod-eu');
  });

  it('takes a pasted id into the audit log', async () => {
    await at({ path: '/roles' }, 'k8s-deployer');
    await userEvent.keyboard('{Control>}k{/Control}');
    await expect.element(page.getByRole('combobox')).toBeVisible();
    await userEvent.fill(page.getByRole('combobox'), '01937b2c-1111-7222-8333-444455559f3a');
    await expect.element(page.getByText('All done under request', { exact: false })).toBeVisible();
  });
});

describe('the keyboard', () => {
  it('goes to places and shows its sheet', async () => {
    await at({ path: '/home' }, 'prod-eu');
    await userEvent.keyboard('gc');
    await expect.poll(() => stage.path()).toBe('/clusters');
    await shows('Register a cluster');
    // Its second letter alone would have copied the link.
    expect(stage.app.notices.list()).toEqual([]);
    await userEvent.keyboard('?');
    await shows('Commands for the terminal');
    await isAccessible(stage);
    await picture(stage, 'keyboard-sheet');
  });

  it('leaves letters alone while somebody types, and altogether when they are switched off', async () => {
    await at({ path: '/clusters' }, 'data-lake');
    await userEvent.keyboard('/');
    await userEvent.keyboard('gr');
    expect(stage.path()).toBe('/clusters');
    await expect.poll(() => stage.path()).toBe('/clusters?q=gr');
    (document.activeElement as HTMLElement).blur();
    stage.app.preferences.singleKeys.set(false);
    await userEvent.keyboard('gh');
    expect(stage.path()).toBe('/clusters?q=gr');
    await userEvent.keyboard('{Control>}k{/Control}');
    await expect.element(page.getByRole('combobox')).toBeVisible();
  });

  it('walks through rows and opens one', async () => {
    await at({ path: '/clusters' }, 'data-lake');
    await userEvent.keyboard('jj');
    expect(document.activeElement?.textContent).toBe('data-lake');
    await userEvent.keyboard('k');
    expect(document.activeElement?.textContent).toBe('build');
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => stage.path()).toBe('/clusters/build');
  });

  it('moves the focus to the heading of the page that was gone to', async () => {
    await at({ path: '/home' }, 'prod-eu');
    await userEvent.click(page.getByRole('link', { name: 'Roles' }));
    await expect.poll(() => document.activeElement?.tagName).toBe('H1');
    expect(document.title).toBe('Roles · Clustral');
  });
});

describe('the commands for the terminal', () => {
  it('stand on the page with real names, quoted', async () => {
    await at({ path: '/clusters/prod-eu' }, 'Round trip');
    await userEvent.click(page.getByRole('button', { name: 'CLI' }));
    await shows('clustral kube login prod-eu');
    await isAccessible(stage);
    await picture(stage, 'cli-drawer');
  });
});

describe('the theme', () => {
  it('is chosen in the bar', async () => {
    await at({ path: '/roles' }, 'k8s-deployer');
    await userEvent.click(page.getByRole('button', { name: 'Theme' }));
    await userEvent.click(page.getByRole('menuitem', { name: 'Dark' }));
    await expect.poll(() => document.documentElement.dataset['theme']).toBe('dark');
    expect(getComputedStyle(document.body).backgroundColor).toBe('rgb(13, 17, 20)');
  });
});

describe('live updates', () => {
  it('that are lost are told with their age and the next attempt', async () => {
    await at({ path: '/clusters' }, 'data-lake');
    stage.setLive({
      status: 'lost',
      since: samples.now - 40_000,
      asOf: samples.now - 40_000,
      retryAt: samples.now + 8_000,
    });
    await shows('Live updates lost 40s ago, retrying in 8s – showing data as of 14:04:32Z.');
    await isAccessible(stage);
    await picture(stage, 'live-lost');
  });
});

describe('a session', () => {
  it('that is about to end is told ahead, with a way to go on', async () => {
    await at({ path: '/roles', expiresInMs: 110_000 }, 'Your session ends soon');
    await expect.element(page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
    await isAccessible(stage);
    await picture(stage, 'session-ending');
  });

  it('that is none leads to the sign-in page and back to where the person was', async () => {
    await at({ path: '/audit?q=x', isSignedOut: true }, 'Sign in to Clustral');
    expect(document.querySelector('a')?.getAttribute('href')).toBe('/api/auth/sign-in?returnTo=%2Faudit%3Fq%3Dx');
    await isAccessible(stage);
    await picture(stage, 'sign-in');
  });
});

describe('a developer', () => {
  it('is offered no page that the server would refuse', async () => {
    await at({ path: '/roles', who: samples.meOfBob }, 'k8s-deployer');
    expect(document.querySelector('nav[aria-label="Main"]')?.textContent).not.toMatch(/People|Audit/);
    expect(document.body.innerText).not.toContain('Create a role');
  });
});
