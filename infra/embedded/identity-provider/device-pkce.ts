/**
 * PKCE in the device flow. RFC 8628 does not have it, but Keycloak demands it of a client that must use PKCE: the
 * challenge at the device authorization endpoint, the verifier when polling. So do we, or a command line that works
 * here would fail there.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { errors } from 'oidc-provider';

const challengeFormat = /^[\w-]{43}$/;
const verifierFormat = /^[\w.~-]{43,128}$/;

/** The challenge of a device authorization request. Throws `invalid_request` unless it is an S256 one (RFC 7636 4.2). */
export function readDeviceChallenge(body: Readonly<Record<string, unknown>> | undefined): string {
  const challenge = body?.['code_challenge'];
  if (body?.['code_challenge_method'] !== 'S256') {
    throw new errors.InvalidRequest('Missing or unsupported parameter: code_challenge_method (S256 is required)');
  }
  if (typeof challenge !== 'string' || !challengeFormat.test(challenge)) {
    throw new errors.InvalidRequest('Missing or malformed parameter: code_challenge');
  }
  return challenge;
}

/** Throws `invalid_grant` unless the verifier belongs to the challenge that `deviceInfo` carries. */
export function checkDevicePkce(deviceInfo: Readonly<Record<string, unknown>> | undefined, verifier: unknown): void {
  if (typeof verifier !== 'string' || !verifierFormat.test(verifier)) {
    throw new errors.InvalidGrant('code_verifier is missing or malformed');
  }
  const expected = Buffer.from(String(deviceInfo?.['codeChallenge']));
  const actual = Buffer.from(createHash('sha256').update(verifier).digest('base64url'));
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
    throw new errors.InvalidGrant('code_verifier does not match code_challenge');
  }
}
