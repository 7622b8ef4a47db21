/** `clustral accounts list`: everybody who signed in to the profile, and how long their sessions live, from this machine's files alone. */
import { lifeOf, shownKeyLength } from '../../account-choice.ts';
import { usageOf } from '../../command-table.ts';
import { exitCodes } from '../../failure.ts';
import { ListCommand } from '../../list-command.ts';
import { accountKey, accountsOf, type Account } from '../../profile.ts';
import type { Column } from '../../table.ts';

type Row = { readonly account: Account; readonly key: string; readonly isCurrent: boolean };

const columnsAt = (now: Date): readonly Column<Row>[] => [
  {
    head: 'ACCOUNT',
    value: ({ account, isCurrent }) => `${isCurrent ? '●' : '○'} ${account.displayName}`,
    tone: ({ isCurrent }) => (isCurrent ? 'good' : undefined),
  },
  {
    head: 'SESSION',
    value: ({ account }) => lifeOf(account, now).text,
    tone: ({ account }) => (lifeOf(account, now).isOver ? 'bad' : undefined),
  },
  { head: 'NAME', value: ({ account }) => account.name, wide: true },
  { head: 'SERVER', value: ({ account }) => account.server, wide: true },
  { head: 'ISSUER', value: ({ account }) => account.issuer, wide: true },
  { head: 'KEY', value: ({ key }) => key.slice(0, shownKeyLength), wide: true },
];

export class AccountsList extends ListCommand {
  static override paths = [['accounts', 'list']];
  static override usage = usageOf('accounts list');

  async execute(): Promise<number> {
    const profile = this.openProfile();
    const now = this.context.now();
    const rows = accountsOf(profile).map((account): Row => {
      const key = accountKey(account);
      return { account, key, isCurrent: key === profile.config?.account };
    });
    await this.printRows({
      rows,
      columns: columnsAt(now),
      plural: 'accounts',
      json: { accounts: rows.map((row) => jsonOf(row, now)) },
      nameOf: ({ account }) => `account/${account.displayName}`,
      empty: `No account is kept in profile ${profile.name}: clustral login.`,
    });
    return exitCodes.ok;
  }
}

function jsonOf({ account, key, isCurrent }: Row, now: Date): Record<string, unknown> {
  const { displayName, username = null, name, server, issuer, subject, signedInAt } = account;
  const { isOver, endsAt = null } = lifeOf(account, now);
  return {
    account: displayName,
    username,
    name,
    server,
    issuer,
    subject,
    key,
    current: isCurrent,
    expired: isOver,
    sessionEndsAt: endsAt,
    signedInAt,
  };
}
