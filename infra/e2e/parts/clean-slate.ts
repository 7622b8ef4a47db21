/**
 * What a walk that asks for access begins with: nothing asked for and nothing held. A test that is tried again would meet
 * what it left behind the first time.
 */
import type { Person } from './product.ts';

const commands: Readonly<Record<string, string>> = { Pending: 'withdraw', Approved: 'give-back' };

/** Takes the person's own requests back, and gives back what they were granted. */
export async function cleanSlate(person: Person): Promise<void> {
  for (const [status, command] of Object.entries(commands)) {
    const { stdout } = await person.clustral('access', 'list', '--mine', '--status', status, '-o', 'json');
    const { requests } = JSON.parse(stdout) as { requests: readonly { readonly id: string }[] };
    for (const { id } of requests) await person.clustral('access', command, id);
  }
}
