/** Where Node keeps the code of this tool compiled: `clustral.mjs` says so to Node, the kubeconfig's exec stanza to the plugin. */
import { join } from 'node:path';

/** The folder below the home of this tool. */
export const compileCacheOf = (home: string): string => join(home, 'compile-cache');
