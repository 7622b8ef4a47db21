/** `clustral config show`: settings with where they come from, files, session and kubeconfig, from this machine's files alone. No token is shown (ID-16). */
import { Option } from 'clipanion';
import { lifeOf, type Life } from '../../account-choice.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { contextsIn, currentContext, kubeconfigFiles } from '../../kubeconfig.ts';
import { printAnswer } from '../../output.ts';
import { ownFiles, type OwnFile } from '../../own-files.ts';
import { currentAccount, type Account, type Profile } from '../../profile.ts';
import { settingKeys, type Resolved, type SettingKey } from '../../settings.ts';
import { paint } from '../../style.ts';
import { visible } from '../../text.ts';

type Shown = {
  readonly settings: readonly (readonly [SettingKey, Resolved])[];
  readonly files: readonly OwnFile[];
  readonly profile: Profile;
  readonly account: Account | undefined;
  readonly life: Life | undefined;
  readonly kubernetes: { readonly current: string | undefined; readonly contexts: readonly string[] };
};

type Line = readonly [label: string, value: string];

export class ConfigShow extends ClustralCommand {
  static override paths = [['config', 'show']];
  static override usage = usageOf('config show', {
    examples: [
      ['For people', 'clustral config show'],
      ['For programs', 'clustral config show --json'],
    ],
  });
  json: boolean = Option.Boolean('--json', false, flag('', 'the same as -o json'));

  async execute(): Promise<number> {
    if (this.json) this.output = 'json';
    const { format } = this;
    const shown = this.gather();
    await printAnswer(this.context, {
      format,
      json: jsonOf(shown),
      name: `profile/${shown.profile.name}`,
      text: textOf(shown, this.context.color.stdout),
    });
    return exitCodes.ok;
  }

  private gather(): Shown {
    const profile = this.openProfile();
    const account = this.account === undefined ? currentAccount(profile) : this.signedIn(profile).account;
    return {
      settings: settingKeys.map((key) => [key, this.setting(key)]),
      files: ownFiles(this.context, profile),
      profile,
      account,
      life: account === undefined ? undefined : lifeOf(account, this.context.now()),
      kubernetes: this.kubernetes(),
    };
  }

  /** A kubeconfig that nobody can read is a line on stderr and no reason to show nothing. */
  private kubernetes(): Shown['kubernetes'] {
    const files = kubeconfigFiles(undefined, this.context.env);
    try {
      return { current: currentContext(files), contexts: contextsIn(files).map(({ name }) => name) };
    } catch (cause) {
      if (!(cause instanceof CliError)) throw cause;
      this.warn(`${cause.message}.`);
      return { current: undefined, contexts: [] };
    }
  }
}

function jsonOf({ settings, files, profile, account, life, kubernetes }: Shown): Record<string, unknown> {
  return {
    settings: Object.fromEntries(settings),
    files,
    session:
      account === undefined || life === undefined
        ? null
        : {
            server: account.server,
            issuer: account.issuer,
            subject: account.subject,
            account: account.displayName,
            profile: profile.name,
            expired: life.isOver,
            sessionEndsAt: life.endsAt ?? null,
          },
    kubernetes: { currentContext: kubernetes.current ?? null, contexts: kubernetes.contexts },
  };
}

function textOf({ settings, files, profile, account, life, kubernetes }: Shown, color: boolean): string {
  const sections: readonly (readonly [title: string, lines: readonly Line[]])[] = [
    ['Settings', settings.map(([key, { value, source, from = source }]) => [key, `${value}  (${from})`])],
    ['Files', files.map(({ what, path }) => [what, path])],
    [
      'Session',
      [
        ['server', profile.config?.server ?? '—'],
        ['account', account === undefined ? 'nobody is signed in' : `${account.displayName} (${life?.text})`],
      ],
    ],
    [
      'Kubernetes',
      [
        ['context', kubernetes.current ?? '—'],
        ['ours', kubernetes.contexts.join(', ') || '—'],
      ],
    ],
  ];
  return sections
    .map(([title, lines]) => {
      const shown = lines.map(([label, value]) => `  ${label.padEnd(14)}${visible(value)}\n`);
      return `${paint(color, 'head', title)}\n${shown.join('')}`;
    })
    .join('\n');
}
