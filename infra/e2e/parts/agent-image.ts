/**
 * The agent's image without a registry: the file system that the Dockerfile makes it from, made by the same program on this machine, as a tar
 * that docker would save.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentCommand, agentUser, gatherAgent } from '../../images/gather.ts';

export type AgentImage = { readonly tar: Buffer; readonly bytes: number };

/** Throws when something the agent needs is not installed, or `tar` or `ldd` is missing. */
export function buildAgentImage(name: string): AgentImage {
  const work = mkdtempSync(join(tmpdir(), 'clustral-image-'));
  try {
    const root = join(work, 'root');
    mkdirSync(root);
    gatherAgent(root);
    const owner = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
    execFileSync('tar', ['-C', root, ...owner, '-cf', join(work, 'layer.tar'), '.']);
    const layer = readFileSync(join(work, 'layer.tar'));
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { User: `${agentUser}:${agentUser}`, Entrypoint: agentCommand },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
      history: [],
    };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
    const files = ['manifest.json', 'config.json', 'layer.tar'];
    const tar = execFileSync('tar', ['-C', work, '-cf', '-', ...files], { maxBuffer: 2 * layer.length });
    return { tar, bytes: layer.length };
  } finally {
    rmSync(work, { recursive: true });
  }
}
