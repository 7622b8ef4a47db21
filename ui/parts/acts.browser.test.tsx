/** What people do on the pages: asking, deciding, ending, registering; what is sent for it, and how a refusal is told. */
import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { refusal } from '../testing/fake-server.ts';
import { enter, isAccessible, picture, shows, type Setting, type Stage } from '../testing/stage.tsx';
import * as samples from '../testing/samples.ts';

let stage: Stage;
afterEach(() => stage?.leave());

async function at(setting: Setting, text: string): Promise<void> {
  await page.viewport(1280, 900);
  stage = enter(setting);
  await shows(text);
}

const button = (name: string) => page.getByRole('button', { name, exact: true });
const sent = () => stage.server.commands.at(-1);

describe('asking for access', () => {
  const ask = async (): Promise<void> => {
    await at({ path: '/home?ask=any', who: samples.meOfBob }, 'Somebody else decides');
    await userEvent.selectOptions(page.getByLabelText('Cluster'), 'data-lake');
    await userEvent.selectOptions(page.getByLabelText('Role'), 'k8s-admin');
  };

  it('shows what the role gives before it is asked for', async () => {
    await ask();
    await shows('2 people must approve');
    await shows('OPS-#');
    await isAccessible(stage);
    await picture(stage, 'ask');
    await picture(stage, 'ask-dark', { theme: 'dark' });
  });

  it('sends what was chosen and says that it waits', async () => {
    await ask();
    await userEvent.fill(page.getByLabelText('Why'), 'OPS-1');
    await userEvent.click(button('4h'));
    await userEvent.click(button('Ask'));
    await shows('it waits for a decision');
    expect(sent()).toMatchObject({
      method: 'requestAccess',
      input: { clusterId: samples.clusters[1]?.id, roleId: samples.roles[0]?.id, duration: '4h', reason: 'OPS-1' },
    });
  });

  it('puts a refusal beside the field that it is about', async () => {
    await ask();
    stage.server.refusal = refusal('VALIDATION_ERROR', 'The reason must name a ticket.', 'reason');
    await userEvent.click(button('Ask'));
    await shows('The reason must name a ticket.');
    expect(document.querySelector('textarea')?.getAttribute('aria-invalid')).toBe('true');
    await isAccessible(stage);
    await picture(stage, 'ask-refused');
  });

  it('tells any other refusal with its code and what to do', async () => {
    await ask();
    stage.server.refusal = refusal('STATIC_ASSIGNMENT_EXISTS', 'You have a standing role on data-lake.');
    await userEvent.click(button('Ask'));
    await shows('STATIC_ASSIGNMENT_EXISTS');
    await shows('Use the standing role');
  });

  it('does not send what cannot be a duration', async () => {
    await ask();
    await userEvent.fill(page.getByLabelText('For how long'), '1w');
    await shows('is not a duration');
    await expect.element(button('Ask')).toBeDisabled();
  });
});

describe('deciding', () => {
  const [pending] = samples.requests;

  it('sends the revision and the moment that were shown', async () => {
    await at({ path: `/access/requests/${pending?.id}` }, 'Your decision');
    await userEvent.click(button('30m'));
    await userEvent.click(button('Approve'));
    await shows('Approved for bob@corp.example');
    expect(sent()).toMatchObject({
      method: 'approveAccessRequest',
      input: { duration: '30m', roleRevision: 3n, shownAt: pending?.shownAt },
    });
  });

  it('denies with a reason', async () => {
    await at({ path: `/access/requests/${pending?.id}` }, 'Your decision');
    await userEvent.click(button('Deny…'));
    await userEvent.fill(page.getByLabelText(/^Reason/), 'not now');
    await isAccessible(stage, [1280]);
    await userEvent.click(button('Deny'));
    await shows('Denied bob@corp.example');
    expect(sent()).toMatchObject({ method: 'denyAccessRequest', input: { reason: 'not now', roleRevision: 3n } });
  });

  it('is not offered to whoever asked', async () => {
    await at({ path: `/access/requests/${pending?.id}`, who: samples.meOfBob }, 'Your own request');
    await expect.element(button('Approve')).not.toBeInTheDocument();
    await isAccessible(stage, [1280]);
    await picture(stage, 'request-own');
  });
});

describe('ending access', () => {
  it('says in numbers what ends with it', async () => {
    await at({ path: '/access/grants' }, '6m left');
    await userEvent.click(page.getByRole('row', { name: /prod-us/ }).getByRole('button', { name: 'Revoke' }));
    await shows('1 live credential stops working');
    await isAccessible(stage);
    await picture(stage, 'revoke');
    await userEvent.fill(page.getByLabelText(/^Reason/), 'incident over');
    await userEvent.click(page.getByRole('dialog').getByRole('button', { name: 'Revoke' }));
    await shows('Ended: bob@corp.example on prod-us.');
    expect(sent()).toMatchObject({ method: 'revokeAccessRequest', input: { reason: 'incident over' } });
  });

  it('of everybody on a cluster wants its name typed', async () => {
    await at({ path: '/clusters/prod-eu' }, 'Administration');
    await userEvent.click(button('Delete'));
    await shows('every standing role there');
    await expect.element(button('Delete for good')).toBeDisabled();
    await userEvent.fill(page.getByRole('dialog').getByRole('textbox'), 'prod-eu');
    await isAccessible(stage, [320, 1280]);
    await picture(stage, 'delete-cluster');
    await userEvent.click(button('Delete for good'));
    await expect.poll(() => stage.path()).toBe('/clusters');
  });
});

describe('registering a cluster', () => {
  it('shows the token once, commands without it, and the list that fills itself', async () => {
    await at({ path: '/clusters/new' }, 'What people type');
    await userEvent.fill(page.getByLabelText('Name'), 'warehouse');
    await userEvent.fill(page.getByLabelText(/^Labels/), 'env=prod');
    await userEvent.click(button('Register'));
    await shows('Token redeemed, certificate issued');
    await shows('--from-file=bootstrap-token=/dev/stdin');
    await shows('Waiting for an agent to redeem the token.');
    expect(document.querySelector('pre')?.textContent).not.toContain('c2VjcmV0');
    expect(sent()).toMatchObject({ method: 'registerCluster', input: { name: 'warehouse', labels: { env: 'prod' } } });
    await isAccessible(stage);
    await picture(stage, 'cluster-new-registered');
    await picture(stage, 'cluster-new-registered-320', { width: 320 });
  });

  it('puts a taken name beside the name', async () => {
    await at({ path: '/clusters/new' }, 'What people type');
    stage.server.refusal = refusal('DUPLICATE_CLUSTER_NAME', "The name 'prod-eu' is taken.");
    await userEvent.fill(page.getByLabelText('Name'), 'prod-eu');
    await userEvent.click(button('Register'));
    await shows("The name 'prod-eu' is taken.");
    expect(document.querySelectorAll('[aria-invalid="true"]')).toHaveLength(1);
  });
});

describe('changing a role', () => {
  it('shows what everybody who has it gets and loses', async () => {
    await at({ path: '/roles/k8s-viewer?edit=yes' }, 'What it gives');
    await userEvent.fill(page.getByLabelText('Kubernetes groups'), 'system:masters');
    await shows('Everybody who has it gets');
    await shows('loses at their next request');
    await isAccessible(stage);
    await picture(stage, 'role-change');
    await userEvent.click(button('Save'));
    await expect.poll(() => stage.path()).toBe('/roles/k8s-viewer');
    expect(sent()).toMatchObject({ method: 'updateRole', input: { k8sGroups: ['system:masters'] } });
  });
});

describe('the audit log', () => {
  it('keeps filters and the open event in the address, and gives the same search as a command', async () => {
    await at({ path: '/audit' }, '3,204');
    await userEvent.fill(page.getByRole('searchbox'), 'GET pods');
    await expect.poll(() => stage.path()).toContain('q=GET+pods');
    await shows('1 of 1 events');
    await userEvent.click(page.getByRole('link', { name: /GET pods/ }));
    await expect.poll(() => stage.path()).toMatch(/q=GET\+pods.*sel=/);
    await shows('Log position');
    await userEvent.click(button('CLI'));
    await shows(/clustral audit --text 'GET pods' --from 2026-11-19T14:05:12Z/);
  });
});
