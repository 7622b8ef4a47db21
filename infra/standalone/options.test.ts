import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from './options.ts';

describe('the flags of npm start', () => {
  it('have defaults', () => {
    expect(parseOptions([], {})).toEqual({
      dataFolder: resolve('.data'),
      port: 8443,
      tunnelPort: 5443,
      tunnelHost: undefined,
      kubeconfig: undefined,
    });
    expect(parseOptions([], { CLUSTRAL_DATA: '/var/clustral' }).dataFolder).toBe('/var/clustral');
  });

  it('are taken, paths from where the command was typed', () => {
    const args = [
      '--data',
      'd',
      '--port=1',
      '--tunnel-port',
      '2',
      '--tunnel-host',
      'clustral.test',
      '--kubeconfig',
      'dev/kubeconfig',
    ];
    expect(parseOptions(args, { CLUSTRAL_DATA: '/x' })).toEqual({
      dataFolder: resolve('d'),
      port: 1,
      tunnelPort: 2,
      tunnelHost: 'clustral.test',
      kubeconfig: resolve('dev/kubeconfig'),
    });
  });

  it.each([
    [['--kubeconfig'], '--kubeconfig'],
    [['--kube-config', 'x'], '--kube-config'],
    [['x'], 'Usage: npm start'],
    [['--tunnel-host', 'https://x'], '--tunnel-host must be a name'],
    [['--port', '0'], '--port must be a port'],
    [['--port', '1e3'], '--port must be a port'],
    [['--port', '5443'], 'must differ'],
  ])('are refused when they are wrong: %j', (args, sentence) => {
    expect(() => parseOptions(args, {})).toThrow(UsageError);
    expect(() => parseOptions(args, {})).toThrow(sentence);
  });
});
