/** A person as `UserService` shows them, from the folded state and from the read model. */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { UserDocument } from '@clustral/projections/users.ts';
import { UserSchema } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import type { KnownUser } from '../domain/user.ts';

/** A person after a command, or the caller. */
export function personAnswer({ userId, claims, kubernetesName, signedInAt, status }: KnownUser) {
  return create(UserSchema, {
    id: userId,
    email: claims.email ?? '',
    name: claims.name ?? '',
    preferredUsername: claims.preferredUsername ?? '',
    issuer: claims.issuer,
    subject: claims.subject,
    roles: [...claims.roles],
    disabled: status === 'disabled',
    kubernetesName: kubernetesName ?? '',
    ...(signedInAt === null ? {} : { lastSignInAt: timestampFromDate(new Date(signedInAt)) }),
  });
}

/** A person of a list. */
export const personOfDocument = (user: UserDocument) =>
  create(UserSchema, {
    id: user._id,
    email: user.email ?? '',
    name: user.name ?? '',
    preferredUsername: user.preferredUsername ?? '',
    issuer: user.issuer,
    subject: user.subject,
    roles: [...user.roles],
    disabled: user.disabled,
    kubernetesName: user.kubernetesName ?? '',
    ...(user.lastSignInAt === null ? {} : { lastSignInAt: timestampFromMs(user.lastSignInAt) }),
  });
