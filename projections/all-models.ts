/** Every read model, and the version of them all together. A model is added to this list and never taken out of it. */
import { access } from './access.ts';
import { audit } from './audit.ts';
import { clusters } from './clusters.ts';
import { credentials } from './credentials.ts';
import type { ReadModel } from './model.ts';
import { projectorCollection } from './projector-state.ts';
import type { Collection } from './read-store.ts';
import { roles } from './roles.ts';
import { users } from './users.ts';

/** In the order in which a fact is given to them. */
export const allModels: readonly ReadModel[] = [clusters, roles, users, access, credentials, audit];

/** Rises whenever the version of one model does: each version has a database of its own and is built from the log. */
export const readModelsVersion = allModels.reduce((sum, { version }) => sum + version, 0);

export const allCollections: readonly Collection[] = [
  projectorCollection,
  ...allModels.flatMap(({ collections }) => collections),
];
