/** Every page in every state that it has: drawn, looked at by axe in both themes at three widths, and kept as a picture. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import type { Mood } from '../testing/fake-server.ts';
import { enter, isAccessible, picture, shows, type Stage } from '../testing/stage.tsx';
import { events } from '../testing/sample-events.ts';
import * as samples from '../testing/samples.ts';

type PageCase = {
  readonly name: string;
  readonly path: string;
  readonly who?: Me;
  /** Text that each state must show; a state that the page does not have is left out. */
  readonly full: string | RegExp;
  readonly empty?: string;
  readonly filtered?: { readonly path: string; readonly shows: string };
  /** Whether it asks the server for anything. */
  readonly isStill?: boolean;
};

const [request, , grant] = samples.requests;

const pages: readonly PageCase[] = [
  { name: 'home', path: '/home', who: samples.meOfBob, full: '41m left', empty: 'You have no access yet' },
  { name: 'home-admin', path: '/home', full: 'for your decision' },
  {
    name: 'clusters',
    path: '/clusters',
    full: 'prod-eu',
    empty: 'No cluster yet',
    filtered: { path: '/clusters?q=nothing', shows: 'No cluster matches' },
  },
  { name: 'cluster', path: '/clusters/prod-eu', full: 'Round trip', empty: 'There is no cluster of this name' },
  { name: 'cluster-access', path: '/clusters/prod-eu?tab=access', full: 'OPS-4711' },
  { name: 'cluster-activity', path: '/clusters/prod-eu?tab=activity', full: 'GET pods' },
  { name: 'cluster-new', path: '/clusters/new', full: 'Register a cluster', isStill: true },
  {
    name: 'requests',
    path: '/access/requests',
    who: samples.meOfBob,
    full: 'OPS-4711',
    empty: 'You have not asked for anything',
    filtered: { path: '/access/requests?status=withdrawn', shows: 'No request matches' },
  },
  { name: 'requests-review', path: '/access/requests?tab=review', full: 'OPS-4711', empty: 'Nothing waits for you' },
  { name: 'request', path: `/access/requests/${request?.id}`, full: 'Your decision' },
  { name: 'request-granted', path: `/access/requests/${grant?.id}`, full: 'What became of it' },
  { name: 'grants', path: '/access/grants', full: '6m left', empty: 'Nobody has access on request' },
  {
    name: 'people',
    path: '/people',
    full: 'Bob Lindqvist',
    empty: 'Nobody has signed in yet',
    filtered: { path: '/people?q=nobody', shows: 'Nobody matches' },
  },
  { name: 'person', path: `/people/${samples.people.bob.id}`, full: 'Live credentials', empty: 'Nobody with this id' },
  { name: 'roles', path: '/roles', full: 'k8s-deployer', empty: 'No role yet' },
  { name: 'role', path: '/roles/k8s-admin', full: 'system:masters', empty: 'There is no role of this name' },
  { name: 'role-edit', path: '/roles/k8s-admin?edit=yes', full: 'Longest grant' },
  { name: 'role-new', path: '/roles/new', full: 'What it gives', isStill: true },
  {
    name: 'audit',
    path: '/audit',
    full: '3,204',
    empty: 'Nothing in this range',
    filtered: { path: '/audit?q=nothing', shows: '3,204 in this range without filters' },
  },
  { name: 'audit-event', path: `/audit?sel=${events[1]?.uid}`, full: 'Log position' },
  { name: 'settings', path: '/settings', full: 'Single-letter keys', isStill: true },
  { name: 'not-found', path: '/nowhere', full: 'There is no page', isStill: true },
];

let stage: Stage;
afterEach(() => stage?.leave());

describe.each(pages)('the page $name', (one) => {
  const go = (mood: Mood, path = one.path): void => {
    stage = enter({ path, mood, ...(one.who ? { who: one.who } : {}) });
  };

  it('shows what there is', async () => {
    go('full');
    await shows(one.full);
    await isAccessible(stage);
    await picture(stage, `${one.name}-full`);
    await picture(stage, `${one.name}-full-dark`, { theme: 'dark' });
    await picture(stage, `${one.name}-full-320`, { width: 320 });
  });

  if (one.empty !== undefined) {
    it('teaches what it is for while nothing is there', async () => {
      go('empty');
      await shows(one.empty ?? '');
      await isAccessible(stage, [320, 1280]);
      await picture(stage, `${one.name}-empty`);
    });
  }

  if (one.filtered !== undefined) {
    it('says so when a filter left nothing', async () => {
      go('full', one.filtered?.path);
      await shows(one.filtered?.shows ?? '');
      await isAccessible(stage, [320, 1280]);
      await picture(stage, `${one.name}-filtered`);
    });
  }

  // The others ask the server for nothing before somebody acts.
  if (one.isStill) return;

  it('keeps its shape while the answer is on its way', async () => {
    go('silent');
    await expect.poll(() => document.querySelector('[aria-label="Loading"]:not(.invisible)')).not.toBeNull();
    await isAccessible(stage, [320, 1280]);
    await picture(stage, `${one.name}-loading`);
  });

  it('tells code, sentence and reference of a fault', async () => {
    go('broken');
    await shows('INTERNAL_ERROR');
    await shows('Something went wrong that nobody foresaw.');
    await isAccessible(stage, [320, 1280]);
    await picture(stage, `${one.name}-error`);
  });

  it('tells who may when the caller may not', async () => {
    go('forbidding');
    await shows('Not yours to see');
    await shows('clustral-admin');
    await isAccessible(stage, [320, 1280]);
    await picture(stage, `${one.name}-forbidden`);
  });

  it('keeps what it has, and says so, when it cannot be refreshed', async () => {
    go('full');
    await shows(one.full);
    stage.server.mood = 'broken';
    await stage.refresh();
    await shows('This could not be refreshed');
    await shows(one.full);
    await isAccessible(stage, [320, 1280]);
    await picture(stage, `${one.name}-stale`);
  });
});
