/** `clustral version`: this tool's version, and with --all the server's. */
import { Option } from 'clipanion';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { exitCodes } from '../failure.ts';
import { printAnswer } from '../output.ts';
import { visible } from '../text.ts';
import { version } from '../version.ts';

export class Version extends ClustralCommand {
  static override paths = [['version']];
  static override usage = usageOf('version');
  all: boolean = Option.Boolean('--all', false, flag('', "also ask for the server's version"));

  async execute(): Promise<number> {
    const { format } = this;
    const server = this.all ? await this.serverVersion() : undefined;
    await printAnswer(this.context, {
      format,
      json: { version, ...(server === undefined ? {} : { serverVersion: server }) },
      name: `version/${version}`,
      text: `clustral ${version}\n${server === undefined ? '' : `server   ${visible(server)}\n`}`,
    });
    return exitCodes.ok;
  }

  private async serverVersion(): Promise<string> {
    const session = await this.openSession();
    const { SystemService } = await import('@clustral/schemas/gen/clustral/v1/system_pb.ts');
    return (await session.client(SystemService).getVersion({})).version;
  }
}
