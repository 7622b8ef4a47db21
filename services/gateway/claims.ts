/**
 * What is read out of an access token besides who the person is: lists at configured places, whatever shape the provider gives them. A place is a
 * path by dots (`realm_access.roles`), a name that is a URL and is taken as it is (`https://corp.example/roles`), or a JSON
 * pointer for names with dots in them (`/resource_access/my.client/roles`, RFC 6901). Which of them is meant never hangs on the token.
 */
import type { JWTPayload } from 'jose';

/** The texts at one place: the items of a list, or a single text. Everything else is nothing. */
export function textsAt(payload: JWTPayload, place: string): readonly string[] {
  const found = namesOf(place).reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, name)
        ? (at as Record<string, unknown>)[name]
        : undefined,
    payload,
  );
  const items: readonly unknown[] = Array.isArray(found) ? found : [found];
  return items.filter((item): item is string => typeof item === 'string' && item !== '' && item.length <= 256);
}

/**
 * True when the provider says that it has left the claim at this place out because it would be too long: by a distributed claim (OpenID Connect Core 5.6.2,
 * Entra ID's `_claim_names`), or by Entra ID's `hasgroups` for groups.
 */
export function isLeftOut(payload: JWTPayload, place: string): boolean {
  const [name = ''] = namesOf(place);
  const elsewhere = payload['_claim_names'];
  if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, name)) return true;
  const { hasgroups } = payload;
  return name === 'groups' && (hasgroups === true || hasgroups === 'true');
}

function namesOf(place: string): readonly string[] {
  if (place.startsWith('/'))
    return place
      .slice(1)
      .split('/')
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return place.includes('/') ? [place] : place.split('.');
}
