/** `clustral profiles list`: every profile with its server and how it stands, from this machine's files alone. */
import { usageOf } from '../../command-table.ts';
import { exitCodes } from '../../failure.ts';
import { ListCommand } from '../../list-command.ts';
import { currentAccount, profileNamed } from '../../profile.ts';
import { profileNames, statusOf } from '../../profiles.ts';
import type { Column } from '../../table.ts';

type Row = {
  readonly name: string;
  readonly isActive: boolean;
  readonly server: string | undefined;
  readonly account: string | undefined;
  readonly status: string;
};

const columns: readonly Column<Row>[] = [
  {
    head: 'PROFILE',
    value: ({ name, isActive }) => `${isActive ? '●' : '○'} ${name}`,
    tone: ({ isActive }) => (isActive ? 'good' : undefined),
  },
  { head: 'CONTROLPLANE URL', value: ({ server }) => server ?? '—' },
  { head: 'ACCOUNT', value: ({ account }) => account ?? '—', wide: true },
  { head: 'STATUS', value: ({ status }) => status },
];

export class ProfilesList extends ListCommand {
  static override paths = [['profiles', 'list']];
  static override usage = usageOf('profiles list');

  async execute(): Promise<number> {
    const { home } = this.context;
    const active = this.setting('profile').value;
    const now = this.context.now();
    const rows = profileNames(home).map((name): Row => {
      const profile = profileNamed(home, name);
      const isActive = name === active;
      return {
        name,
        isActive,
        server: profile.config?.server,
        account: currentAccount(profile)?.displayName,
        status: statusOf(profile, { isActive, now }),
      };
    });
    await this.printRows({
      rows,
      columns,
      plural: 'profiles',
      json: {
        profiles: rows.map(({ name, isActive, server = null, account = null, status }) => ({
          name,
          active: isActive,
          server,
          account,
          status: status === '—' ? 'not logged in' : status,
        })),
      },
      nameOf: ({ name }) => `profile/${name}`,
      empty: '',
    });
    return exitCodes.ok;
  }
}
