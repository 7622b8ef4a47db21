/** A process that saves one identity after the other into a folder until it is killed. It says when it has begun. */
import { realDisk } from '../disk.ts';
import { IdentityFolder } from '../identity-folder.ts';
import type { Identity } from '../identity.ts';

process.on('message', (plan: { folder: string; identities: readonly Identity[] }) => {
  const folder = new IdentityFolder(plan.folder, realDisk);
  const work = async (): Promise<void> => {
    for (let round = 0; ; round += 1) {
      const identity = plan.identities[round % plan.identities.length];
      if (!identity) return;
      await folder.save(identity);
      if (round === 0) process.send?.('begun');
    }
  };
  void work();
});
process.on('disconnect', () => process.exit(0));
