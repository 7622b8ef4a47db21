/** A process that takes the lock of the folder named on its command line, says so, and keeps it until it is killed. */
import { withLock } from '../folder-lock.ts';

process.on('disconnect', () => process.exit(0));
await withLock(process.argv[2] ?? '', async () => {
  process.send?.('locked');
  await new Promise(() => undefined);
});
