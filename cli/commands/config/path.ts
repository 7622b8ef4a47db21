/** `clustral config path`: where this tool keeps what, one path a line. */
import { usageOf } from '../../command-table.ts';
import { exitCodes } from '../../failure.ts';
import { ListCommand } from '../../list-command.ts';
import { ownFiles, type OwnFile } from '../../own-files.ts';
import type { Column } from '../../table.ts';

const columns: readonly Column<OwnFile>[] = [
  { head: 'FILE', value: ({ what }) => what },
  { head: 'PATH', value: ({ path }) => path },
];

export class ConfigPath extends ListCommand {
  static override paths = [['config', 'path']];
  static override usage = usageOf('config path');

  async execute(): Promise<number> {
    const rows = ownFiles(this.context, this.openProfile());
    await this.printRows({
      rows,
      columns,
      plural: 'files',
      json: { files: rows },
      nameOf: ({ path }) => path,
      empty: '',
    });
    return exitCodes.ok;
  }
}
