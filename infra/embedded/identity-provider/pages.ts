/**
 * The pages of the embedded identity provider, as text. No script anywhere: each page works in a text browser, and a
 * program signs in by posting the one form it finds.
 */
import { html } from './html.ts';
import type { Html } from './html.ts';
import { styleSheet } from './look.ts';

export type LoginPage = {
  readonly action: string;
  readonly clientName: string;
  readonly username: string;
  readonly problem?: string;
};

export function loginPage(page: LoginPage): string {
  const failed = page.problem === undefined ? undefined : html` aria-invalid="true" aria-describedby="problem"`;
  // Whoever got it wrong, or came with a name, types a password next.
  const [nameFocus, passwordFocus] =
    page.username === '' ? [html` autofocus`, undefined] : [undefined, html` autofocus`];
  return document(
    'Sign in to Clustral',
    html`<p class="quiet">You will go on to ${page.clientName}.</p>
      ${alarm(page.problem)}
      <form method="post" action="${page.action}">
        <label for="username">User name</label>
        <input
          id="username"
          name="username"
          value="${page.username}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          maxlength="64"
          required${nameFocus}${failed}
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          maxlength="1024"
          required${passwordFocus}${failed}
        />
        <button type="submit">Sign in</button>
        <button type="submit" name="cancel" value="yes" class="second" formnovalidate>Cancel</button>
      </form>
      <p class="notice">
        For trying out only: the accounts are <b>admin</b>, <b>dev</b> and <b>auditor</b>, and each one's password is
        its name.
      </p>`,
  );
}

export type DeviceCodePage = {
  readonly action: string;
  readonly formSecret: string;
  readonly userCode: string;
  readonly problem?: string;
};

export function deviceCodePage(page: DeviceCodePage): string {
  return document(
    'Connect a device',
    html`<p class="quiet">Enter the code that the device shows.</p>
      ${alarm(page.problem)}
      <form method="post" action="${page.action}">
        <input type="hidden" name="xsrf" value="${page.formSecret}" />
        <label for="user_code">Code</label>
        <input
          id="user_code"
          name="user_code"
          value="${page.userCode}"
          autocomplete="off"
          spellcheck="false"
          maxlength="32"
          required
          autofocus
        />
        <button type="submit">Continue</button>
      </form>`,
  );
}

export type DeviceConfirmPage = {
  readonly action: string;
  readonly formSecret: string;
  readonly userCode: string;
  readonly clientName: string;
};

export function deviceConfirmPage(page: DeviceConfirmPage): string {
  return document(
    'Is this your device?',
    html`<p>It runs ${page.clientName} and shows this code:</p>
      <p class="code">${page.userCode}</p>
      <p class="quiet">If somebody sent you this link or code, stop: whoever holds the device will act as you.</p>
      <form method="post" action="${page.action}">
        <input type="hidden" name="xsrf" value="${page.formSecret}" />
        <input type="hidden" name="user_code" value="${page.userCode}" />
        <button type="submit" name="confirm" value="yes">Yes, connect it</button>
        <button type="submit" name="abort" value="yes" class="second">No, stop</button>
      </form>`,
  );
}

export type SignOutPage = { readonly action: string; readonly formSecret: string };

export function signOutPage(page: SignOutPage): string {
  return document(
    'Sign out?',
    html`<p>This ends your session at the identity provider for every application in this browser.</p>
      <form method="post" action="${page.action}">
        <input type="hidden" name="xsrf" value="${page.formSecret}" />
        <button type="submit" name="logout" value="yes">Sign out</button>
        <button type="submit" class="second">Stay signed in</button>
      </form>`,
  );
}

/** A page that only says something: a heading, sentences, and for a mistake its code. */
export function messagePage(heading: string, sentences: readonly string[], errorCode?: string): string {
  const code = errorCode === undefined ? undefined : html`<p class="quiet">Error code: <code>${errorCode}</code></p>`;
  return document(heading, html`${sentences.map((sentence) => html`<p>${sentence}</p>`)}${code}`);
}

function alarm(problem: string | undefined): Html | undefined {
  return problem === undefined ? undefined : html`<p class="alarm" id="problem" role="alert">${problem}</p>`;
}

function document(heading: string, body: Html): string {
  const page = html`<body>
    <main class="card">
      <p class="brand">Clustral</p>
      <h1>${heading}</h1>
      ${body}
    </main>
  </body>`;
  const title = html`<title>${heading}</title>`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">${title.text}<style>${styleSheet}</style></head>
${page.text}
</html>
`;
}
