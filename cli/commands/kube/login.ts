/** `clustral kube login <cluster>`: a credential for the cluster and a kubeconfig context that keeps itself fresh through the exec plugin. */
import { Option } from 'clipanion';
import type { Session } from '../../client.ts';
import { flag, usageOf } from '../../command-table.ts';
import { ClustralCommand } from '../../command.ts';
import { issueCredential, type Issued } from '../../credentials.ts';
import { execPlugin } from '../../exec-plugin.ts';
import { CliError, exitCodes } from '../../failure.ts';
import { kubeconfigFiles, placeFor, writeEntry, type Written } from '../../kubeconfig.ts';
import type { Entry } from '../../kubeconfig-document.ts';
import { findCluster } from '../../lookup.ts';
import { accountKey } from '../../profile.ts';
import { span, visible } from '../../text.ts';

const contextForm = /^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,252}$/;

export class KubeLogin extends ClustralCommand {
  static override paths = [['kube', 'login']];
  static override argumentHelp = { cluster: 'name or id' };
  static override usage = usageOf('kube login', {
    examples: [
      ['By name', 'clustral kube login prod'],
      ['Leave the current context alone', 'clustral kube login prod --no-set-context'],
      ['Into a file of its own', 'clustral kube login prod --kubeconfig prod.yaml'],
    ],
  });
  cluster: string = Option.String({ name: 'cluster' });
  contextName: string | undefined = Option.String('--context-name', flag('NAME', 'clustral-<cluster> by default'));
  ttl: string = Option.String('--ttl', '', flag('DURATION', 'life of a credential, e.g. 30m'));
  noSetContext: boolean = Option.Boolean('--no-set-context', false, flag('', 'leave the current context as it is'));
  embedToken: boolean = Option.Boolean(
    '--embed-token',
    false,
    flag('', 'write the token itself, for tools without exec plugins'),
  );
  kubeconfig: string | undefined = Option.String('--kubeconfig', flag('FILE', 'file to write'));
  force: boolean = Option.Boolean('--force', false, flag('', 'overwrite a foreign context of that name'));

  async execute(): Promise<number> {
    const session = await this.openSession();
    const cluster = await findCluster(session, this.cluster);
    const name = this.nameFor(cluster.name);
    const files = kubeconfigFiles(this.kubeconfig, this.context.env);
    // Before a credential exists: a name that is taken shall cost nothing.
    placeFor(files, { name, server: session.config.server, force: this.force });
    const issued = await issueCredential(session, { clusterId: cluster.id, ttl: this.ttl, now: this.context.now });
    const written = await writeEntry(files, this.entry(session, { name, issued }), {
      setContext: !this.noSetContext,
      force: this.force,
    });
    this.report({ ...written, name }, issued);
    return exitCodes.ok;
  }

  private nameFor(clusterName: string): string {
    const name = this.contextName ?? `clustral-${clusterName}`;
    if (contextForm.test(name)) return name;
    throw new CliError(
      exitCodes.usage,
      `'${visible(name.slice(0, 300))}' cannot be the name of a context`,
      'name it with --context-name: letters, digits and . _ @ : / -',
    );
  }

  private entry(session: Session, { name, issued }: { name: string; issued: Issued }): Entry {
    const { config, profile } = session;
    const { clusterId, token } = issued.credential;
    const ca = config.caPem === undefined ? undefined : Buffer.from(config.caPem).toString('base64');
    const cluster = {
      server: `${config.server}/api/proxy/${clusterId}`,
      ...(ca === undefined ? {} : { 'certificate-authority-data': ca }),
    };
    if (this.embedToken) return { name, cluster, user: { token } };
    const args = ['--cluster', clusterId, '--account', accountKey(session.account()), '--profile', profile.name];
    const exec = execPlugin([...args, ...(this.ttl === '' ? [] : ['--ttl', this.ttl])], this.context);
    return { name, cluster, user: { exec } };
  }

  private report({ name, file, previousContext }: Written & { name: string }, { credential, hasRole }: Issued): void {
    this.say(`Wrote context ${name} to ${visible(file)}.`);
    if (this.noSetContext) this.say(`Use it with: kubectl --context ${name} …`);
    else if (previousContext !== undefined && previousContext !== name) {
      const back = visible(previousContext);
      this.say(`context: ${back} → ${name} (back: kubectl config use-context ${back})`);
    }
    if (!hasRole)
      this.warn('you have no role on this cluster yet: kubectl is refused until an administrator gives you one.');
    if (this.embedToken) {
      const left = Date.parse(credential.expiresAt) - this.context.now().getTime();
      this.say(`The token in it is valid for ${span(left)}; then run this again.`);
    }
  }
}
