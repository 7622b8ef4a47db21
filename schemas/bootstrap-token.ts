/**
 * The text form of a bootstrap token: `clustral1.<pin>.<secret>`, both base64url of 32 bytes. The pin is the SHA-256 of
 * the CA's public key (SPKI, DER), by which the agent knows the server at first contact (D7); the secret is an HMAC that only
 * the control plane can make (D33). No padding, no other characters, so it survives a shell and a YAML file.
 */
import { Refusal } from './errors.ts';

export type BootstrapTokenParts = { readonly caPin: string; readonly secret: string };

const form = /^clustral1\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** The token as shown once to the administrator. Both parts are base64url of 32 bytes. */
export function formatBootstrapToken(parts: BootstrapTokenParts): string {
  return `clustral1.${parts.caPin}.${parts.secret}`;
}

/** The parts of a token. Throws `BOOTSTRAP_TOKEN_INVALID` when it has another form. */
export function parseBootstrapToken(token: string): BootstrapTokenParts {
  const match = form.exec(token);
  if (!match?.[1] || !match[2]) {
    throw new Refusal(
      'BOOTSTRAP_TOKEN_INVALID',
      'The bootstrap token does not have the form clustral1.<pin>.<secret>: copy it again, whole and on one line.',
    );
  }
  return { caPin: match[1], secret: match[2] };
}
