/** `clustral kube login <cluster>`: a credential for the cluster and a kubeconfig context that keeps itself fresh through the exec plugin. */
import { execFileSync } from 'node:child_process';
import { Option } from 'clipanion';
import { accountKey } from '../../profile.ts';
import type { Session } from '../../client.ts';
import { ClustralCommand } from '../../command.ts';
import { issueCredential, type Issued } from '../../credentials.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { kubeconfigFiles, writeEntry, type Entry } from '../../kubeconfig.ts';
import { findCluster } from '../../lookup.ts';
import { span, visible } from '../../text.ts';

export class KubeLogin extends ClustralCommand {
  static override paths = [['kube', 'login']];
  static override usage = ClustralCommand.Usage({
    category: 'Kubernetes',
    description: 'write a kubeconfig context for a cluster',
    examples: [
      ['By name', '$0 kube login prod'],
      ['Without touching the current context', '$0 kube login prod --no-set-context'],
    ],
  });
  cluster: string = Option.String({ name: 'cluster' });
  contextName: string | undefined = Option.String('--context-name', {
    description: 'name of the context, clustral-<cluster> by default',
  });
  ttl: string = Option.String('--ttl', '', { description: 'life of the credential, e.g. 8h' });
  noSetContext: boolean = Option.Boolean('--no-set-context', false, {
    description: 'leave the current context as it is',
  });
  embedToken: boolean = Option.Boolean('--embed-token', false, {
    description: 'write the token itself, for tools without exec plugins',
  });
  kubeconfig: string | undefined = Option.String('--kubeconfig', { description: 'file to write' });
  force: boolean = Option.Boolean('--force', false, { description: 'overwrite a foreign context of that name' });

  async execute(): Promise<number> {
    const session = this.openSession();
    const cluster = await findCluster(session, this.cluster);
    const issued = await issueCredential(session, { clusterId: cluster.id, ttl: this.ttl, now: this.context.now() });
    const name = this.contextName ?? `clustral-${cluster.name}`;
    if (!/^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,252}$/.test(name))
      throw new CliError(exitCodes.usage, `'${visible(name)}' cannot be the name of a context`);
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    const entry = this.entry(session, { name, clusterId: cluster.id, issued });
    const { file, previousContext } = await writeEntry(files, entry, {
      setContext: !this.noSetContext,
      force: this.force,
    });
    this.report({ name, file, previousContext, issued });
    return exitCodes.ok;
  }

  private entry(
    session: Session,
    { name, clusterId, issued }: { name: string; clusterId: string; issued: Issued },
  ): Entry {
    const { config, profile } = session;
    const cluster = {
      server: `${config.server}/api/proxy/${clusterId}`,
      ...(config.caPem === undefined
        ? {}
        : { 'certificate-authority-data': Buffer.from(config.caPem).toString('base64') }),
    };
    if (this.embedToken) return { name, cluster, user: { token: issued.credential.token } };
    const script = process.argv[1] ?? '';
    const env =
      this.context.env['CLUSTRAL_HOME'] === undefined
        ? {}
        : { env: [{ name: 'CLUSTRAL_HOME', value: this.context.home }] };
    const exec = {
      apiVersion: execVersion(),
      // An absolute node, because programs started from a desktop have another PATH.
      command: process.execPath,
      args: [
        script,
        'kube',
        'credential',
        '--cluster',
        clusterId,
        '--account',
        accountKey(session.account()),
        '--profile',
        profile.name,
      ],
      ...env,
      interactiveMode: 'IfAvailable',
      provideClusterInfo: false,
      installHint: "This context needs the 'clustral' command: run 'clustral kube login' again to mend its path.",
    };
    return { name, cluster, user: { exec } };
  }

  private report({
    name,
    file,
    previousContext,
    issued,
  }: {
    name: string;
    file: string;
    previousContext: string | undefined;
    issued: Issued;
  }): void {
    this.say(`Wrote context ${name} to ${file}.`);
    if (this.noSetContext) this.say(`Use it with: kubectl --context ${name} …`);
    else if (previousContext !== undefined && previousContext !== name)
      this.say(
        `context: ${visible(previousContext)} → ${name} (back: kubectl config use-context ${visible(previousContext)})`,
      );
    const left = Date.parse(issued.credential.expiresAt) - this.context.now().getTime();
    if (!issued.hasRole)
      this.say(
        'warning: you have no role on this cluster yet: kubectl will be refused until an administrator gives you one.',
      );
    else if (this.embedToken) this.say(`The token in it is valid for ${span(left)}.`);
  }
}

/** kubectl before 1.22 does not know `v1`; the plugin answers in whichever version is asked. */
function execVersion(): string {
  const v1 = 'client.authentication.k8s.io/v1';
  try {
    const answer = execFileSync('kubectl', ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      timeout: 3_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const minor = Number(/"minor":\s*"(\d+)/.exec(answer)?.[1] ?? '99');
    return minor < 22 ? `${v1}beta1` : v1;
  } catch {
    // No kubectl on the PATH: whatever is used later is likely newer than 1.22.
    return v1;
  }
}
