import { describe, expect, it } from 'vitest';
import { synced, userIs } from './testing/people.ts';
import { heldAfter, Story } from './testing/story.ts';
import { userCollection, users } from './users.ts';

const userAfter = async (story: Story) => (await heldAfter([users], story.facts)).get(userCollection, 'u');

describe('a person as shown', () => {
  it('is as the identity provider last described them', async () => {
    const story = new Story()
      .tell('user-u', synced('u', 'old@corp.example'))
      .tell('user-u', synced('u', 'new@corp.example'));
    expect(await userAfter(story)).toMatchObject({
      displayName: 'new@corp.example',
      email: 'new@corp.example',
      kubernetesName: 'new@corp.example',
      lastSignInAt: Date.parse('2026-11-24T08:00:00Z'),
      disabled: false,
    });
  });

  it('without an e-mail goes by the user name', async () => {
    expect(await userAfter(new Story().tell('user-u', synced('u', null)))).toMatchObject({
      displayName: 'u',
      email: null,
    });
  });

  it('stays disabled when the provider describes them anew', async () => {
    const story = new Story()
      .tell('user-u', synced('u'))
      .tell('user-u', userIs('u', 'disabled'))
      .tell('user-u', synced('u'));
    expect(await userAfter(story)).toMatchObject({ disabled: true });
    expect(await userAfter(story.tell('user-u', userIs('u', 'enabled')))).toMatchObject({ disabled: false });
  });

  it('keeps the last sign-in when a changed claim came without one', async () => {
    const changed = synced('u');
    const story = new Story()
      .tell('user-u', changed)
      .tell('user-u', { ...changed, data: { ...changed.data, signedInAt: null } } as typeof changed);
    expect(await userAfter(story)).toMatchObject({ lastSignInAt: Date.parse('2026-11-24T08:00:00Z') });
  });
});
