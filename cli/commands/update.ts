/**
 * `clustral update`: says how to update this tool; `--check` also asks the server whether it is time. It never replaces itself: whatever installed
 * it checks what it fetches, a program that rewrites itself would have to be trusted to (ID-15).
 */
import { existsSync, realpathSync } from 'node:fs';
import { Option } from 'clipanion';
import { flag, usageOf } from '../command-table.ts';
import { ClustralCommand } from '../command.ts';
import { CliError, exitCodes } from '../failure.ts';
import { installationOf } from '../how-installed.ts';
import { printAnswer } from '../output.ts';
import { visible } from '../text.ts';
import { isOlder, requireVersion, version } from '../version.ts';

type ServerVersions = { readonly url: string; readonly version: string; readonly minimumCliVersion: string };

export class Update extends ClustralCommand {
  static override paths = [['update']];
  static override usage = usageOf('update', {
    details:
      'It downloads and replaces nothing: it prints the command that fits how it was installed. --check ends with exit\ncode 8 when the server no longer answers this version, and with 7 when the server cannot be asked.',
    examples: [
      ['How to update', 'clustral update'],
      ['Whether it is time to', 'clustral update --check'],
    ],
  });
  check: boolean = Option.Boolean('--check', false, flag('', 'ask the server whether it is time'));
  pre: boolean = Option.Boolean('--pre', false, flag('', 'to the next pre-release'));

  async execute(): Promise<number> {
    const { format } = this;
    const installation = await this.installation();
    const command = this.pre ? installation.updateToPre : installation.update;
    const server = this.check ? await this.askServer() : undefined;
    const isBehind =
      server !== undefined && (isOlder(version, server.version) || isOlder(version, server.minimumCliVersion));
    await printAnswer(this.context, {
      format,
      json: {
        version,
        installed: installation.kind,
        command,
        ...(server === undefined ? {} : { server, upToDate: !isBehind }),
      },
      name: `version/${version}`,
      text: server === undefined ? `${command}\n` : textOf(server, { isBehind, command }),
    });
    if (server === undefined) this.say(`clustral ${version}, installed as ${installation.kind}.`);
    else requireVersion(version, server.minimumCliVersion, server.url);
    return exitCodes.ok;
  }

  private async installation(): Promise<ReturnType<typeof installationOf>> {
    const { isSea } = await import('node:sea');
    const [, script = process.execPath] = process.argv;
    return installationOf({
      script: existsSync(script) ? realpathSync(script) : script,
      isSingleFile: isSea(),
      isContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
      exists: existsSync,
    });
  }

  /** Asked without a token: anybody may know the version, and the session may have ended long ago. */
  private async askServer(): Promise<ServerVersions> {
    const { config, name } = this.openProfile();
    if (config === undefined)
      throw new CliError(
        exitCodes.signInNeeded,
        `profile ${name} knows no server that could be asked`,
        'clustral login https://<host>',
      );
    const [{ openAnonymously }, { SystemService }] = await Promise.all([
      import('../client.ts'),
      import('@clustral/schemas/gen/clustral/v1/system_pb.ts'),
    ]);
    const client = openAnonymously({ config, ...(await this.callOptions()) })(SystemService);
    const answer = await client.getVersion({});
    return { url: config.server, version: answer.version, minimumCliVersion: answer.minimumCliVersion };
  }
}

function textOf(server: ServerVersions, { isBehind, command }: { isBehind: boolean; command: string }): string {
  const lines = [
    ['This tool', version],
    ['Server', `${server.version} (${server.url})`],
    ['At least', server.minimumCliVersion],
    isBehind ? ['Update', command] : ['Update', 'none needed'],
  ];
  return lines.map(([label = '', value = '']) => `${label.padEnd(12)}${visible(value)}\n`).join('');
}
