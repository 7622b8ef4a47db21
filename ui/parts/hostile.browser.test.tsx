/** UI-01: texts that try to be markup, scripts, links or other texts, wherever somebody can write one. They stay text. */
import { afterEach, expect, it } from 'vitest';
import { enter, isAccessible, picture, shows, type Stage } from '../testing/stage.tsx';
import { events } from '../testing/sample-events.ts';
import * as samples from '../testing/samples.ts';

const { script, direction, zeroWidth, template, link } = samples.hostile;
const everything = `${script} ${direction} ${zeroWidth} ${template} ${link}`;

let stage: Stage;
const undo: (() => void)[] = [];
afterEach(() => {
  stage?.leave();
  for (const back of undo.splice(0)) back();
});

/** Puts the text into every text field of the samples until the test is over. */
function poison<T extends object>(items: readonly T[]): void {
  for (const item of items) {
    const before = { ...item };
    undo.push(() => Object.assign(item, before));
    for (const [key, value] of Object.entries(item)) {
      if (typeof value === 'string' && !/id$|uid|^duration$|severity|code|position/i.test(key) && key !== '$typeName')
        Object.assign(item, { [key]: everything });
    }
  }
}

it.each([
  '/home',
  '/clusters',
  '/access/requests?tab=all',
  `/access/requests/${samples.requests[0]?.id}`,
  '/access/grants',
  '/people',
  `/people/${samples.people.bob.id}`,
  '/roles',
  '/audit',
  `/audit?sel=${events[1]?.uid}`,
])('hostile text on %s stays text', async (path) => {
  poison(samples.clusters);
  poison(samples.requests);
  poison(samples.roles);
  poison(samples.users);
  poison(events);
  poison(samples.assignments);
  poison(samples.credentials);
  poison(samples.meOfAlice.access);
  stage = enter({ path });
  await shows('onerror=');
  expect(document.querySelectorAll('main :is(img, script, iframe, object, embed)')).toHaveLength(0);
  expect('evil' in window).toBe(false);
  expect(
    [...document.querySelectorAll('a')].filter((one) => /^\s*javascript:/i.test(one.getAttribute('href') ?? '')),
  ).toEqual([]);
  expect(document.body.innerText).toContain('RLO');
  expect(document.body.innerText).not.toMatch(/[\u202a-\u202e\u200b]/);
  await isAccessible(stage, [320, 1280]);
  if (path === '/clusters') await picture(stage, 'hostile');
});
