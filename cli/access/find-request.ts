/** From what is typed to an access request: the whole id, or a beginning of it that only one request has. */
import {
  AccessService,
  type AccessRequest,
  type AccessRequestStatus,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { isUuid } from '@clustral/schemas/ids.ts';
import type { Session } from '../client.ts';
import { CliError, exitCodes } from '../failure.ts';
import { collect } from '../paging.ts';
import { visible } from '../text.ts';
import { shortestOf, statusWord } from './request-words.ts';

const mostSearched = 2_000;
const mostNamed = 5;
const beginning = /^[0-9a-f][0-9a-f-]{3,35}$/i;

/**
 * The request that is meant. A beginning of four characters or more is looked for among the requests of the given status first, because those are what
 * can be decided, then among all that the person may see. Throws exit code 2 when it fits several and 3 when it fits none.
 */
export async function findRequest(
  session: Session,
  typed: string,
  status: AccessRequestStatus,
): Promise<AccessRequest> {
  const client = session.client(AccessService);
  if (isUuid(typed)) return client.getAccessRequest({ id: typed.toLowerCase() });
  if (!beginning.test(typed))
    throw new CliError(
      exitCodes.usage,
      `'${visible(typed)}' is not the id of a request, nor at least four characters of its beginning`,
      'clustral access list',
    );
  for (const filter of [{ status }, {}]) {
    const { items } = await collect(mostSearched, async (pageToken, pageSize) => {
      const page = await client.listAccessRequests({ ...filter, pageToken, pageSize });
      return { items: page.requests, next: page.nextPageToken };
    });
    const found = matching(typed, items);
    if (found !== undefined) return found;
  }
  throw new CliError(exitCodes.notFound, `no request that you can see begins with '${typed}'`, 'clustral access list');
}

/** The one request whose id begins like that; undefined when there is none. Throws a usage error naming the candidates when there are several. */
export function matching(typed: string, requests: readonly AccessRequest[]): AccessRequest | undefined {
  const found = requests.filter(({ id }) => id.startsWith(typed.toLowerCase()));
  if (found.length < 2) return found[0];
  const length = shortestOf(found.map(({ id }) => id));
  const named = found
    .slice(0, mostNamed)
    .map((one) =>
      visible(`${one.id.slice(0, length)} (${statusWord(one)}, ${one.requesterName} on ${one.clusterName})`),
    );
  const rest = found.length > mostNamed ? ` and ${found.length - mostNamed} more` : '';
  throw new CliError(
    exitCodes.usage,
    `${found.length} requests begin with '${typed}'`,
    `name more of it: ${named.join(', ')}${rest}`,
  );
}
