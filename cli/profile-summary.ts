/** A session at a glance, as it is shown when somebody signs in who is signed in already: where, who, which access, until when. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Me } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { lifeOf } from './account-choice.ts';
import type { Account, ProfileConfig } from './profile.ts';
import { paint } from './style.ts';
import { span, visible } from './text.ts';
import { version } from './version.ts';

export type Summary = {
  readonly config: ProfileConfig;
  readonly account: Account;
  readonly me: Me;
  readonly now: Date;
  readonly color: boolean;
};

/** The session in lines, the last one without its end. */
export function profileSummary({ config, account, me, now, color }: Summary): string {
  const list = (values: readonly string[]): string => [...new Set(values)].join(', ') || 'none';
  const lines: readonly (readonly [label: string, value: string])[] = [
    ['Profile URL', config.server],
    ['Logged in as', account.name],
    ['Email', me.user?.email || account.displayName],
    ['Kubernetes', me.access.length > 0 ? 'enabled' : 'no cluster yet'],
    ['CLI version', `v${version}`],
    ['Roles', list(me.access.map(({ roleName }) => roleName))],
    ['Clusters', list(me.access.map(({ clusterName }) => clusterName))],
    ['Access', me.access.length === 0 ? 'none: ask for it with clustral access request' : ''],
    ...me.access.map(({ clusterName, roleName, until }) => {
      const end = until === undefined ? '' : ` (for ${span(timestampDate(until).getTime() - now.getTime())})`;
      return ['', `${clusterName} → ${roleName}${end}`] as const;
    }),
    ['Valid until', validUntil(account, now)],
  ];
  return lines
    .map(([label, value], index) => {
      const head = label === '' ? '' : `${label}:`;
      const shown = paint(color, 'quiet', head.padEnd(14));
      return `${index === 0 ? '>' : ' '} ${shown} ${visible(value)}`.trimEnd();
    })
    .join('\n');
}

function validUntil(account: Account, now: Date): string {
  const { endsAt, isOver, text } = lifeOf(account, now);
  if (endsAt === undefined) return 'signed out [renews itself]';
  const end = new Date(endsAt);
  return `${localTime(end)} [${isOver ? text : `valid for ${span(end.getTime() - now.getTime())}`}]`;
}

/** An instant on this machine's clock with its offset: `2026-04-06 03:41:32 +0200`. */
export function localTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  const offset = -at.getTimezoneOffset();
  const hours = two(Math.floor(Math.abs(offset) / 60));
  return `${date} ${time} ${offset < 0 ? '-' : '+'}${hours}${two(Math.abs(offset) % 60)}`;
}
