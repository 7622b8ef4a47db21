/** Addresses of the pages about one thing. Names come from people, so each is encoded as one segment. */

// encodeURIComponent leaves these as they are, and a browser takes such a segment for a walk up the path.
const segment = (name: string): string =>
  /^\.{1,2}$/.test(name) ? name.replaceAll('.', '%2E') : encodeURIComponent(name);

export const clusterPath = (name: string): string => `/clusters/${segment(name)}`;
export const requestPath = (id: string): string => `/access/requests/${segment(id)}`;
export const personPath = (id: string): string => `/people/${segment(id)}`;
export const rolePath = (name: string): string => `/roles/${segment(name)}`;

/** The audit log with filters on, e.g. `{ cluster: 'prod' }`. */
export function auditPath(filters: Readonly<Record<string, string>>): string {
  return `/audit?${new URLSearchParams(filters)}`;
}

/** The name that a segment of the address stands for; a segment that is no encoding of anything stands for itself. */
export function nameOf(segmentText: string): string {
  try {
    return decodeURIComponent(segmentText);
  } catch {
    return segmentText;
  }
}
