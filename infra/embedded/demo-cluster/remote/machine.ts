/**
 * The simulated container that a session's program runs in: its files, and the environment its spec asks for.
 */
import type { Cluster } from '../call.ts';
import { FileError } from '../files/file-error.ts';
import type { FileTree } from '../files/file-tree.ts';
import { textAt } from '../objects.ts';
import { fillContainer } from '../shell/container-files.ts';
import type { Machine } from '../shell/process.ts';
import { programs } from '../shell/programs.ts';
import { ApiError } from '../status.ts';
import { environmentOf } from './environment.ts';
import type { Target } from './target.ts';

/** @throws ApiError 500 when there is no room for even the first files */
export function machineOf({ store, world, disks }: Cluster, { pod, container }: Target): Machine {
  const name = textAt(container, 'name');
  const about = {
    hostname: pod.metadata.name,
    address: textAt(pod, 'status', 'podIP'),
    programs: programs.keys(),
  };
  return {
    hostname: about.hostname,
    container: name,
    image: textAt(container, 'image'),
    files: filesOf(() => disks.treeOf(pod.metadata.uid, name, (tree) => fillContainer(tree, about))),
    environment: environmentOf(store, pod, container),
    programs,
    now: world.now,
    running: 0,
  };
}

function filesOf(open: () => FileTree): FileTree {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const message = `failed to start: the files of all pods together have reached their limit: ${error.message}`;
    throw new ApiError(500, 'InternalError', { message });
  }
}
