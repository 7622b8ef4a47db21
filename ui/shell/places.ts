/** Where one can go: the rail, the palette and the keys read this one list. */
import type { IconName } from '../kit/Icon.tsx';
import type { Person } from '../data/session.ts';

export type Place = {
  readonly href: string;
  readonly name: string;
  readonly icon: IconName;
  /** Second letter of the sequence that goes there: `g h`. */
  readonly letter: string;
  /** The server lets only these read it; for others it is not in the rail. */
  readonly readersOnly?: boolean;
  readonly group: 'Work' | 'Govern';
};

const places: readonly Place[] = [
  { href: '/home', name: 'Home', icon: 'home', letter: 'h', group: 'Work' },
  { href: '/clusters', name: 'Clusters', icon: 'server', letter: 'c', group: 'Work' },
  { href: '/access/requests', name: 'Requests', icon: 'key', letter: 'r', group: 'Work' },
  { href: '/access/grants', name: 'Grants', icon: 'clock', letter: 'g', group: 'Work' },
  { href: '/people', name: 'People', icon: 'people', letter: 'p', group: 'Govern', readersOnly: true },
  { href: '/roles', name: 'Roles', icon: 'role', letter: 'o', group: 'Govern' },
  { href: '/audit', name: 'Audit', icon: 'scroll', letter: 'a', group: 'Govern', readersOnly: true },
];

/** The places that the person can read. What the server refuses stays refused, whatever is listed here. */
export function placesFor({ isAdmin, isAuditor }: Person): readonly Place[] {
  return places.filter(({ readersOnly }) => !readersOnly || isAdmin || isAuditor);
}
