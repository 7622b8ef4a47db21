/** `clustral version`: this tool's version, and with --server the server's. */
import { Option } from 'clipanion';
import { SystemService } from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import { ClustralCommand } from '../command.ts';
import { printObject } from '../output.ts';
import { version } from '../version.ts';

export class Version extends ClustralCommand {
  static override paths = [['version'], ['--version']];
  static override usage = ClustralCommand.Usage({ category: 'General', description: 'show versions' });
  server: boolean = Option.Boolean('--server', false, { description: "also ask for the server's version" });

  async execute(): Promise<number> {
    const server = this.server ? await this.openSession().client(SystemService).getVersion({}) : undefined;
    if (this.format === 'table') {
      this.context.stdout.write(`clustral ${version}\n${server === undefined ? '' : `server ${server.version}\n`}`);
    } else
      printObject(this.context, this.format, {
        version,
        ...(server === undefined ? {} : { serverVersion: server.version }),
      });
    return 0;
  }
}
