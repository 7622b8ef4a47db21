/**
 * What is in a simulated container when its first program runs: the usual directories, a few files that programs and
 * people look for, and a note that nothing here is real.
 */
import type { FileTree, Node } from '../files/file-tree.ts';

const readme = `This container is simulated by the Clustral demo cluster. Nothing runs in it.
Its files are in memory, and gone with the pod. "help" in a shell lists its programs.
`;

/**
 * Fills an empty tree.
 * @throws FileError ENOSPC when there is no room for it
 */
export function fillContainer(
  files: FileTree,
  about: { hostname: string; address: string; programs: Iterable<string> },
): void {
  for (const path of ['/bin', '/dev', '/etc', '/home', '/root', '/tmp', '/var', '/var/log']) files.makeDirectory(path);
  files.at('/tmp').mode = 0o777;
  files.makeNullDevice('/dev/null');
  const texts = {
    '/README': readme,
    '/etc/hostname': `${about.hostname}\n`,
    '/etc/hosts': `127.0.0.1\tlocalhost\n${about.address}\t${about.hostname}\n`,
    '/etc/os-release': 'NAME="Clustral demo cluster"\nID=stand-in\nPRETTY_NAME="A simulated container"\n',
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  };
  for (const [path, text] of Object.entries(texts)) addFile(files, path, text);
  for (const name of about.programs) addFile(files, `/bin/${name}`, '').mode = 0o755;
}

function addFile(files: FileTree, path: string, text: string): Node {
  const file = files.fileAt(path);
  if (file.kind === 'file') file.append(Buffer.from(text));
  return file;
}
