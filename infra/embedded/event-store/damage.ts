/**
 * The one error for "these files are not what was written". Whoever throws it has changed nothing; whoever catches it
 * may report it and must not go on: a log that may have lost an acknowledged fact is not served (G1).
 */
export class DamagedLog extends Error {
  constructor(message: string) {
    super(`${message} Nothing was changed. Restore the folder from a backup.`);
    this.name = 'DamagedLog';
  }
}
