/**
 * The names by which the rest of Clustral meets the demo cluster: the agent's service account, and the groups its
 * impersonated users come with. Whoever writes a kubeconfig or an agent's configuration takes them from here.
 */

/** The namespace the agent would run in. */
export const agentNamespace = 'clustral';
/** The agent's service account in that namespace. */
export const agentServiceAccount = 'clustral-agent';
/** The user name the agent's bearer token stands for. */
export const agentUserName = `system:serviceaccount:${agentNamespace}:${agentServiceAccount}`;
/** The group that is bound to the ClusterRole `view`. */
export const viewersGroup = 'clustral:viewers';
/** Kubernetes' own group whose members may do everything. */
export const mastersGroup = 'system:masters';
/** What the stand-in calls its version; it never passes for a real cluster. */
export const gitVersion = 'v1.35.0-clustral-standin';
