/** Every page and its address. Each is a file of its own that is fetched when somebody goes there. */
import type { RouteDefinition } from '@solidjs/router';
import { lazy } from 'solid-js';

export const routes: RouteDefinition[] = [
  { path: ['/', '/home'], component: lazy(() => import('./pages/Home.tsx').then(({ Home }) => ({ default: Home }))) },
  {
    path: '/clusters',
    component: lazy(() => import('./pages/Clusters.tsx').then(({ Clusters }) => ({ default: Clusters }))),
  },
  {
    path: '/clusters/new',
    component: lazy(() => import('./pages/ClusterNew.tsx').then(({ ClusterNew }) => ({ default: ClusterNew }))),
  },
  {
    path: '/clusters/:cluster',
    component: lazy(() => import('./pages/Cluster.tsx').then(({ Cluster }) => ({ default: Cluster }))),
  },
  {
    path: '/access/requests',
    component: lazy(() => import('./pages/Requests.tsx').then(({ Requests }) => ({ default: Requests }))),
  },
  {
    path: '/access/requests/:id',
    component: lazy(() => import('./pages/Request.tsx').then(({ Request }) => ({ default: Request }))),
  },
  {
    path: '/access/grants',
    component: lazy(() => import('./pages/Grants.tsx').then(({ Grants }) => ({ default: Grants }))),
  },
  { path: '/people', component: lazy(() => import('./pages/People.tsx').then(({ People }) => ({ default: People }))) },
  {
    path: '/people/:person',
    component: lazy(() => import('./pages/Person.tsx').then(({ Person }) => ({ default: Person }))),
  },
  { path: '/roles', component: lazy(() => import('./pages/Roles.tsx').then(({ Roles }) => ({ default: Roles }))) },
  {
    path: '/roles/new',
    component: lazy(() => import('./pages/RoleNew.tsx').then(({ RoleNew }) => ({ default: RoleNew }))),
  },
  { path: '/roles/:role', component: lazy(() => import('./pages/Role.tsx').then(({ Role }) => ({ default: Role }))) },
  { path: '/audit', component: lazy(() => import('./pages/Audit.tsx').then(({ Audit }) => ({ default: Audit }))) },
  {
    path: '/settings',
    component: lazy(() => import('./pages/Settings.tsx').then(({ Settings }) => ({ default: Settings }))),
  },
  {
    path: '/signed-in',
    component: lazy(() => import('./pages/SignedIn.tsx').then(({ SignedIn }) => ({ default: SignedIn }))),
  },
  { path: '*', component: lazy(() => import('./pages/NotFound.tsx').then(({ NotFound }) => ({ default: NotFound }))) },
];
