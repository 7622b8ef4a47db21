/**
 * Where in a pod a stream goes: the container that it names and, of exec, the command that is run there, as the audit keeps them
 * (UP-08). Both stand in the query, also when a WebSocket opens the stream by GET. What goes through the stream is never looked at.
 */
import type { KubernetesRequest } from '@clustral/schemas/events/proxy.ts';

const longestContainer = 253;
/** Characters of a command that are kept, over all its words; a word that is left out or cut short ends in an ellipsis. */
const longestCommand = 1024;

/** What is added to the record of a request for this part of a pod. */
export function streamTarget(
  subresource: string | null,
  query: URLSearchParams,
): Pick<KubernetesRequest, 'container' | 'command'> {
  if (subresource !== 'exec' && subresource !== 'attach') return {};
  const container = query.get('container');
  return {
    ...(container === null || container === ''
      ? {}
      : { container: container.slice(0, longestContainer).toWellFormed() }),
    ...(subresource === 'exec' ? { command: kept(query.getAll('command')) } : {}),
  };
}

function kept(words: readonly string[]): readonly string[] {
  const command: string[] = [];
  let left = longestCommand;
  for (const word of words) {
    if (word.length > left || command.length === longestCommand) {
      command.push(`${word.slice(0, left).toWellFormed()}…`);
      break;
    }
    left -= word.length;
    command.push(word);
  }
  return command;
}
