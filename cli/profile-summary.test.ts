import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { AccessSchema, MeSchema, UserSchema } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { localTime, profileSummary } from './profile-summary.ts';

const server = 'http://localhost:3000';
const now = new Date('2026-04-01T12:00:00Z');
const config = {
  server,
  discovery: {
    version: '0.1.0',
    controlPlaneUrl: server,
    auditServiceUrl: server,
    oidcAuthority: server,
    oidcClientId: 'x',
    oidcScopes: [],
  },
};
const account = {
  server,
  issuer: server,
  subject: '1',
  displayName: 'admin@clustral.local',
  name: 'Admin User',
  accessToken: 'a',
  accessTokenExpiresAt: '2026-04-01T15:16:00.000Z',
  signedInAt: '2026-04-01T11:00:00.000Z',
};

describe('the summary of a session', () => {
  it('says where, who, which access and until when', () => {
    const until = timestampFromDate(new Date('2026-04-01T12:30:00Z'));
    const me = create(MeSchema, {
      user: create(UserSchema, { email: 'admin@clustral.local' }),
      access: [
        create(AccessSchema, { clusterName: 'production', roleName: 'k8s-admin' }),
        create(AccessSchema, { clusterName: 'staging', roleName: 'k8s-viewer', until }),
      ],
    });
    expect(profileSummary({ config, account, me, now, color: false })).toBe(
      [
        '> Profile URL:   http://localhost:3000',
        '  Logged in as:  Admin User',
        '  Email:         admin@clustral.local',
        '  Kubernetes:    enabled',
        '  CLI version:   v0.1.0',
        '  Roles:         k8s-admin, k8s-viewer',
        '  Clusters:      production, staging',
        '  Access:',
        '                 production → k8s-admin',
        '                 staging → k8s-viewer (for 30m)',
        `  Valid until:   ${localTime(new Date(account.accessTokenExpiresAt))} [valid for 3h16m]`,
      ].join('\n'),
    );
  });

  it('says that there is no access, and that a session renews itself', () => {
    const renewing = { ...account, refreshToken: 'r' };
    const text = profileSummary({ config, account: renewing, me: create(MeSchema), now, color: false });
    expect(text).toContain('  Kubernetes:    no cluster yet\n');
    expect(text).toContain('  Access:        none: ask for it with clustral access request\n');
    expect(text).toContain('  Valid until:   signed out [renews itself]');
  });

  it('gives times on the clock of this machine with its offset', () => {
    const text = localTime(now);
    expect(text).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$/);
    expect(Date.parse(text.replace(/ ([+-]\d\d)(\d\d)$/, '$1:$2').replace(' ', 'T'))).toBe(now.getTime());
  });
});
