/**
 * Redeeming a bootstrap token for an identity (D7, D8), and renewing one (D1, D36). The private key stays here; what goes out is
 * a request signed with it. Nothing of an answer is kept that does not fit the key, the cluster and itself.
 */
import type { MessageShape } from '@bufbuild/protobuf';
import { createCertificateRequest, type KeyPair } from '@clustral/kernel/x509.ts';
import type { AgentIdentitySchema } from '@clustral/schemas/gen/clustral/v1/agent_pb.ts';
import { withAgentService } from './control-plane-session.ts';
import { bootstrapHash, isBundle, isPair, type Identity } from './identity.ts';

const callMs = 20_000;

export type Enrolment = {
  readonly url: URL;
  /** CAs to trust at first contact, PEM. */
  readonly ca: string;
  readonly clusterId: string;
  readonly bootstrapToken: string;
  /** The same keys after a lost answer get the same certificate (F-06). */
  readonly keys: KeyPair;
};

/** Rejects with node's error of the connection, or with Connect's error holding `BOOTSTRAP_TOKEN_INVALID` and others. */
export async function enrol({ url, ca, clusterId, bootstrapToken, keys }: Enrolment): Promise<Identity> {
  const csr = await createCertificateRequest({ keys, commonName: clusterId });
  const answer = await withAgentService({ url, ca }, (service) =>
    service.registerAgent({ clusterId, bootstrapToken, csr }, { timeoutMs: callMs }),
  );
  return checked({
    clusterId,
    privateKeyPem: keys.privateKeyPem,
    certificatePem: answer.certificatePem,
    caBundlePem: answer.caBundlePem,
    token: answer.token,
    bootstrapHash: bootstrapHash(bootstrapToken),
  });
}

/** A new certificate for new keys, and the token that came with it. */
export async function renewCertificate(url: URL, identity: Identity, keys: KeyPair): Promise<Identity> {
  const csr = await createCertificateRequest({ keys, commonName: identity.clusterId });
  const answer = await call(url, identity, (service, options) => service.renewCertificate({ csr }, options));
  return checked({
    ...identity,
    ...given(answer),
    privateKeyPem: keys.privateKeyPem,
    certificatePem: answer.certificatePem,
  });
}

/** A new token; the certificate must still be good, the old token may have expired (D1). */
export async function renewToken(url: URL, identity: Identity): Promise<Identity> {
  const answer = await call(url, identity, (service, options) => service.renewToken({}, options));
  return checked({ ...identity, ...given(answer) });
}

type Service = Parameters<Parameters<typeof withAgentService>[1]>[0];
type Options = { readonly timeoutMs: number; readonly headers: Readonly<Record<string, string>> };

function call<T>(url: URL, identity: Identity, work: (service: Service, options: Options) => Promise<T>): Promise<T> {
  const options = { timeoutMs: callMs, headers: { authorization: `Bearer ${identity.token}` } };
  return withAgentService({ url, ca: identity.caBundlePem, identity }, (service) => work(service, options));
}

// What did not change comes empty.
const given = (answer: MessageShape<typeof AgentIdentitySchema>): Partial<Identity> => ({
  ...(answer.token === '' ? {} : { token: answer.token }),
  ...(answer.caBundlePem === '' ? {} : { caBundlePem: answer.caBundlePem }),
});

function checked(identity: Identity): Identity {
  if (!isPair(identity.certificatePem, identity.privateKeyPem)) {
    throw new Error('The control plane answered with a certificate that does not belong to the key of this agent.');
  }
  if (!isBundle(identity.caBundlePem)) throw new Error('The control plane answered without usable CA certificates.');
  if (!/^[\x21-\x7e]+$/.test(identity.token)) throw new Error('The control plane answered without a usable token.');
  return identity;
}
