/** What the palette offers for what was typed: places, acts, things by name, and where a pasted id leads. */
import type { Cluster } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import type { AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import type { Role } from '@clustral/schemas/gen/clustral/v1/roles_pb.ts';
import type { User } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { clusterPath, personPath, requestPath, rolePath } from '../text/paths.ts';
import { pastedId, shortId } from '../text/id.ts';
import { bestMatches } from '../text/match.ts';
import { requestWord } from '../text/words.ts';
import type { IconName } from '../kit/Icon.tsx';

export type PaletteItem = {
  readonly id: string;
  readonly text: string;
  /** What kind of thing it is, or how it stands. */
  readonly note: string;
  readonly icon: IconName;
  readonly href: string;
};

export type Findable = {
  readonly places: readonly { readonly name: string; readonly href: string; readonly icon: IconName }[];
  readonly isAdmin: boolean;
  readonly isReader: boolean;
  /** Whether they may ask for access. */
  readonly isActing: boolean;
  readonly clusters: readonly Pick<Cluster, 'id' | 'name'>[];
  readonly roles: readonly Pick<Role, 'id' | 'name'>[];
  readonly people: readonly Pick<User, 'id' | 'email' | 'name'>[];
  readonly requests: readonly Pick<AccessRequest, 'id' | 'clusterName' | 'roleName' | 'requesterName' | 'status'>[];
};

const shown = 12;

/** The items for the text, best first, at most twelve. */
export function paletteItems(query: string, there: Findable): readonly PaletteItem[] {
  const id = pastedId(query);
  if (id !== undefined) return itemsOfId(id, there);
  return bestMatches(allItems(there), query, { nameOf: ({ text }) => text, limit: shown });
}

function allItems(there: Findable): readonly PaletteItem[] {
  return [
    ...there.places.map(({ name, href, icon }) => ({ id: href, text: name, note: 'Page', icon, href })),
    ...acts(there),
    ...things(there),
  ];
}

function acts({ isAdmin, isActing }: Findable): readonly PaletteItem[] {
  const ask = { id: 'ask', text: 'Ask for access', note: 'Act', icon: 'key', href: '/home?ask=any' } as const;
  const forAll: readonly PaletteItem[] = [
    ...(isActing ? [ask] : []),
    { id: 'settings', text: 'Settings', note: 'Page', icon: 'settings', href: '/settings' },
  ];
  if (!isAdmin) return forAll;
  return [
    ...forAll,
    { id: 'register', text: 'Register a cluster', note: 'Act', icon: 'plus', href: '/clusters/new' },
    { id: 'new-role', text: 'Create a role', note: 'Act', icon: 'plus', href: '/roles/new' },
    { id: 'review', text: 'Review requests', note: 'Act', icon: 'check', href: '/access/requests?tab=review' },
  ];
}

function things({ clusters, roles, people, requests }: Findable): readonly PaletteItem[] {
  return [
    ...clusters.map(({ id, name }) => ({
      id,
      text: name,
      note: 'Cluster',
      icon: 'server' as const,
      href: clusterPath(name),
    })),
    ...roles.map(({ id, name }) => ({ id, text: name, note: 'Role', icon: 'role' as const, href: rolePath(name) })),
    ...people.map(({ id, email, name }) => ({
      id,
      text: email || name,
      note: 'Person',
      icon: 'people' as const,
      href: personPath(id),
    })),
    ...requests.map(({ id, clusterName, roleName, requesterName, status }) => ({
      id,
      text: `${requesterName}: ${roleName} on ${clusterName}`,
      note: `Request, ${requestWord(status).word.toLowerCase()}`,
      icon: 'key' as const,
      href: requestPath(id),
    })),
  ];
}

/** A pasted id: the thing itself when it is known, and the audit log, which knows every kind of id. */
function itemsOfId(id: string, there: Findable): readonly PaletteItem[] {
  const found = things(there).filter((item) => item.id === id);
  if (!there.isReader) return found;
  const search = (key: string, text: string): PaletteItem => ({
    id: `audit-${key}`,
    text: `${text} ${shortId(id)}`,
    note: 'Audit',
    icon: 'scroll',
    href: `/audit?range=all&${key}=${id}`,
  });
  return [
    ...found,
    search('sel', 'Event'),
    search('resource', 'Events about'),
    search('request', 'All done under request'),
    search('correlation', 'Events with correlation id'),
  ];
}
