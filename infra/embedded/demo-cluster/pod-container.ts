/**
 * Which container of a pod a request means, as the API server and the kubelet choose.
 */
import { isJsonObject, type JsonObject, type KubeObject, listAt, textAt } from './objects.ts';
import { badRequest } from './status.ts';

/**
 * The container of this name, or the only one.
 * @param wanted '' when the client named none
 * @throws ApiError 400 when there is no such container, or several to choose from
 */
export function chosenContainer(pod: KubeObject, wanted: string): JsonObject {
  const { name } = pod.metadata;
  const containers = listAt(pod, 'spec', 'containers').filter(isJsonObject);
  const names = containers.map((container) => textAt(container, 'name'));
  if (wanted === '' && names.length > 1)
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`);
  const container = wanted === '' ? (names[0] ?? '') : wanted;
  const found = containers.find((candidate) => candidate['name'] === container);
  if (found === undefined) throw badRequest(`container ${container} is not valid for pod ${name}`);
  return found;
}
