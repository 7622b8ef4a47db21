/**
 * Paths of simulated files as text. Without links a path can be made plain without looking at files.
 */

/** An absolute path without `.`, `..` and double slashes, seen from a working directory. */
export function resolvePath(workingDirectory: string, path: string): string {
  const plain: string[] = [];
  for (const segment of segmentsOf(path.startsWith('/') ? path : `${workingDirectory}/${path}`)) {
    if (segment === '..') plain.pop();
    else if (segment !== '.') plain.push(segment);
  }
  return `/${plain.join('/')}`;
}

/** The names a path leads through. */
export function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** The directory a plain path is in; the root is in itself. */
export function parentOf(path: string): string {
  return `/${segmentsOf(path).slice(0, -1).join('/')}`;
}

/** The last name of a path; '' for the root. */
export function baseName(path: string): string {
  return segmentsOf(path).at(-1) ?? '';
}

/** A name below a directory. */
export function joined(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
