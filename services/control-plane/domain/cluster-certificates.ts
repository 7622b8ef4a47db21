/**
 * The certificates that an agent was given and may still use. A certificate is superseded when one issued after it is first
 * used on a connection, and stays good for an hour longer (D36), so that a lost answer or a slow change locks nobody out.
 * Nothing here is ever longer than a few entries.
 */
import type { AgentCertificate } from '@clustral/schemas/events/cluster.ts';

/** A certificate that was given out and may still be good. */
export type HeldCertificate = AgentCertificate & {
  readonly issuedAt: Date;
  readonly usedAt: Date | null;
  /** When a certificate issued after it was first used on a connection. */
  readonly supersededAt: Date | null;
};

/** How long a superseded certificate stays good for new connections (TN-10). */
const supersededGraceMs = 3_600_000;

/** At most so many certificates that were never used are remembered; the oldest is forgotten for a newer one. */
export const mostUnusedCertificates = 8;

/** A certificate just given out. */
export const held = (certificate: AgentCertificate, issuedAt: Date): HeldCertificate => ({
  ...certificate,
  issuedAt,
  usedAt: null,
  supersededAt: null,
});

/** The list after a connection came with the certificate of the fingerprint: what was issued before it is superseded. */
export function used(
  certificates: readonly HeldCertificate[],
  fingerprint: string | undefined,
  at: Date,
): readonly HeldCertificate[] {
  const index = certificates.findIndex((certificate) => certificate.fingerprint === fingerprint);
  return certificates.map((certificate, i) => {
    if (i < index) return { ...certificate, supersededAt: certificate.supersededAt ?? at };
    return i === index ? { ...certificate, usedAt: certificate.usedAt ?? at } : certificate;
  });
}

/** The list without what can no longer be used. Oldest first, as given. */
export function remembered(certificates: readonly HeldCertificate[], now: Date): readonly HeldCertificate[] {
  const alive = certificates.filter(({ supersededAt }) => !isOver(supersededAt, now));
  const unused = alive.filter(({ usedAt }) => usedAt === null);
  const forgotten = new Set(unused.slice(0, Math.max(0, unused.length - mostUnusedCertificates)));
  return alive.filter((certificate) => !forgotten.has(certificate));
}

/** True once the grace of a superseded certificate is over. */
export const isOver = (supersededAt: Date | null, now: Date): boolean =>
  supersededAt !== null && now.getTime() - supersededAt.getTime() >= supersededGraceMs;
