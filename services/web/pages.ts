/**
 * The pages that are not the dashboard's: the front page, one page per error code of the catalogue, what went wrong with a sign-in, and
 * the one for everything else.
 */
import { errorCatalogue, errorPage, isErrorCode, type ErrorCode } from '@clustral/schemas/errors.ts';
import { errorHelp } from './error-help.ts';
import { html, page, type Html } from './page.ts';

const signInPath = '/api/auth/sign-in?returnTo=/home';

/** The front page. `origin` is what people type after `clustral login`. */
export function frontPage(origin: string): string {
  return page(
    'Clustral',
    html`<h1>Clustral</h1>
      <p class="lead">Sign in, get a kubeconfig that ends by itself, use plain kubectl.</p>
      <p><a class="button" href="${signInPath}">Sign in</a></p>
      <p>
        The clusters behind this address have no way in from outside: each one dials out to Clustral, which carries the
        requests of people who may make them, as themselves, and writes down every one.
      </p>
      <h2>Three commands</h2>
      <ol>
        ${command('Sign in with your browser', `clustral login ${origin}`)}
        ${command('Get a kubeconfig for a cluster', 'clustral kube login <cluster>')}
        ${command('Use it', 'kubectl get pods')}
      </ol>
      <h2>When something is refused</h2>
      <p>
        Every refusal says what happened and what to do next, and carries a code that has
        <a href="/errors/">a page of its own</a>.
      </p>`,
  );
}

const command = (what: string, line: string): Html => html`<li><span>${what}</span><code>${line}</code></li> `;

/** The list of all error codes. */
export function errorsPage(): string {
  const rows = (Object.keys(errorCatalogue) as ErrorCode[]).map(
    (code) =>
      html`<div>
        <dt>${String(errorCatalogue[code].http)}</dt>
        <dd><a href="${errorPage('/errors/', code)}">${code}</a></dd>
      </div> `,
  );
  return page(
    'Error codes - Clustral',
    html`<h1>Error codes</h1>
      <p class="lead">What Clustral says when it says no.</p>
      <dl>${rows}</dl>`,
  );
}

/** The page of a code named as in its address (`agent-not-connected`), or nothing when there is no such code. */
export function errorCodePage(slug: string): string | undefined {
  const code = /^[a-z]+(?:-[a-z]+)*$/.test(slug) ? slug.toUpperCase().replaceAll('-', '_') : '';
  if (!isErrorCode(code)) return undefined;
  const { title, http, connect, advice } = errorCatalogue[code];
  const { meaning, causes, person, operator, example } = errorHelp[code];
  return page(
    `${title} - Clustral`,
    html`<h1>${title}</h1>
      <p class="lead">${advice}</p>
      <h2>What it means</h2>
      <p>${meaning}</p>
      <h2>Likely causes</h2>
      <ol>
        ${causes.map((cause) => html`<li>${cause}</li> `)}
      </ol>
      <h2>What you do</h2>
      <p>${person}</p>
      <h2>What the operator does</h2>
      <p>${operator}</p>
      <h2>How it looks</h2>
      <p><code>${example}</code></p>
      <dl>
        <div>
          <dt>Code</dt>
          <dd><code>${code}</code></dd>
        </div>
        <div>
          <dt>HTTP status</dt>
          <dd>${String(http)}</dd>
        </div>
        <div>
          <dt>Connect code</dt>
          <dd><code>${connect}</code></dd>
        </div>
      </dl>
      <p>
        The answer itself says which cluster, role or field it is about. If it stays a riddle, give its
        <code>X-Correlation-Id</code> to whoever runs this installation. <a href="/errors/">All codes</a>
      </p>`,
  );
}

/** The page of an address that is none. */
export function notFoundPage(): string {
  return page(
    'Not found - Clustral',
    html`<h1>Nothing here</h1>
      <p class="lead">There is no page at this address.</p>
      <p><a href="/">To the front page</a></p>`,
  );
}

/** A sign-in that came to no good end. */
export function signInFailedPage(sentence: string): string {
  return page(
    'Not signed in - Clustral',
    html`<h1>You are not signed in</h1>
      <p class="lead">${sentence}</p>
      <p><a class="button" href="${signInPath}">Sign in again</a></p>
      <p><a href="/">To the front page</a></p>`,
  );
}

/** In the place of the dashboard when there is no build of it. */
export function notBuiltPage(): string {
  return page(
    'Dashboard not built - Clustral',
    html`<h1>The dashboard is not built</h1>
      <p class="lead">This copy of Clustral has no dashboard yet. Everything works from the command line.</p>
      <ol>
        ${command('Build it, in the folder of the source', 'npm run build:ui')}
        ${command('Then reload this page', 'nothing has to be started again')}
      </ol>`,
  );
}
