/** Help for the refusals that are about clusters, their agents and the way to them. */
import type { ErrorHelp } from './entry.ts';

export const clusterHelp = {
  CLUSTER_NOT_FOUND: {
    meaning: 'There is no such cluster, or it was removed.',
    causes: ['The name was mistyped; names are case-sensitive.', 'The cluster was removed meanwhile.'],
    person: "'clustral clusters list' shows the clusters; 'clustral kube ls' those that you can reach.",
    operator: "'clustral audit' shows who removed it.",
    example: "There is no cluster 'prod-eu'.",
  },
  CLUSTER_MISMATCH: {
    meaning: 'The credential is good for one cluster and was used for another.',
    causes: [
      'The server address in a kubeconfig was edited by hand.',
      'A token was copied from one context into another.',
    ],
    person: "Run 'clustral kube login <cluster>' for the cluster you mean.",
    operator: 'Nothing; each credential is bound to its cluster.',
    example: 'This credential is for another cluster. Run clustral kube login for this one.',
  },
  INVALID_CLUSTER_ID: {
    meaning: 'The path names something that is no cluster id.',
    causes: ['The server address in a kubeconfig was edited by hand.', 'A script uses the name in place of the id.'],
    person: "Run 'clustral kube login <cluster>' again, or take the id from 'clustral clusters list -o json'.",
    operator: 'Nothing.',
    example: "'prod' is no cluster id; it must be a UUID in lower case.",
  },
  DUPLICATE_CLUSTER_NAME: {
    meaning: 'Another cluster has this name.',
    causes: ['It was registered already, perhaps by somebody else.'],
    person: 'Choose another name.',
    operator:
      'For an agent that lost its identity: issue a new bootstrap token for the cluster instead of a new cluster.',
    example: "There is a cluster 'prod' already.",
  },
  AGENT_NOT_CONNECTED: {
    meaning: 'No agent of this cluster is connected, so there is no way to it. The request did not reach the cluster.',
    causes: [
      'The agent does not run, or its pod has just been moved.',
      'The cluster cannot reach Clustral on port 5443.',
      "The agent's identity was revoked.",
      'The cluster was registered, and its agent never installed.',
    ],
    person: 'Try again in a minute. When it stays, tell whoever runs the cluster.',
    operator:
      "Look at 'kubectl -n clustral logs deploy/clustral-agent' in the cluster: the agent says in one line what keeps it. 'clustral clusters list' shows since when it is gone.",
    example: "The agent of cluster 'prod' is not connected (last seen 14:05 UTC).",
  },
  TUNNEL_TIMEOUT: {
    meaning: 'The request was carried to the cluster, and no answer began in time.',
    causes: [
      "The cluster's API server is overloaded or hangs.",
      'A webhook of the cluster does not answer.',
      'The network between cluster and Clustral loses packets.',
    ],
    person: 'Try again. An act that changes something may have happened: look before you repeat it.',
    operator:
      'Compare with a request from within the cluster. PROXY_TUNNEL_TIMEOUT says how long the beginning of an answer is waited for; what has begun has no limit.',
    example: "Cluster 'prod' did not begin to answer within 2 minutes.",
  },
  TUNNEL_ERROR: {
    meaning:
      'The connection between Clustral and the agent broke, or could take nothing more, while the request was under way.',
    causes: [
      'The agent restarted or lost its network.',
      'The control plane restarted.',
      'Very many requests to this cluster are open at once.',
    ],
    person: 'Try again. An act that changes something may have happened: look before you repeat it.',
    operator: "The agent's log and the control plane's name the same moment; look for a restart or a lack of memory.",
    example: "The connection to the agent of cluster 'prod' was lost before the answer was complete.",
  },
  AGENT_ERROR: {
    meaning: 'The agent took the request and got no usable answer from its API server.',
    causes: [
      'The API server is down or restarting.',
      "The agent's service account may not impersonate, or its token is not accepted any more.",
      "The API server's certificate is not the one that the agent knows.",
      'The API server gave an answer that must not be passed on, such as a redirect to another place.',
    ],
    person: 'Try again in a minute. Your sign-in is fine: the trouble is between the agent and its cluster.',
    operator:
      "Look at the agent's log: it names what failed. 'kubectl auth can-i impersonate users' for its service account.",
    example: 'The API server at 10.96.0.1:443 refused the connection.',
  },
  BOOTSTRAP_TOKEN_INVALID: {
    meaning: 'The token with which an agent enrols is not good, or not any more.',
    causes: [
      'It was used already: each is good once.',
      'It is older than 24 hours.',
      'A newer one was issued for the same cluster.',
      'It was cut short when it was copied.',
    ],
    person: "Issue a new one: 'clustral clusters token <cluster>', and give it to the agent.",
    operator: 'The same; a used token that you did not use is a reason to look at the audit.',
    example: 'The bootstrap token was not accepted. Issue a new one for the cluster.',
  },
  AGENT_UNAUTHENTICATED: {
    meaning: 'An agent came without a certificate and token that belong together and are good.',
    causes: [
      'Its token ran out while it was away for long: it renews by itself.',
      'Something between the agent and Clustral ends TLS, so that its certificate is lost.',
      'Its identity was copied from another installation.',
    ],
    person: 'Nothing: it concerns the agent of a cluster.',
    operator:
      'Port 5443 must be passed on as TCP, not as HTTPS. If the agent stays out, enrol it again with a new token.',
    example: 'The connection came without a client certificate.',
  },
  AGENT_REVOKED: {
    meaning: "The identity of this cluster's agent was revoked. It gets nothing, until it enrols again.",
    causes: ['An administrator revoked it.', 'The cluster was removed or enrolled anew elsewhere.'],
    person: 'Nothing: it concerns the agent of a cluster.',
    operator: 'Issue a new bootstrap token for the cluster and put it where the agent looks; it enrols by itself.',
    example: "The agent's identity was revoked or replaced.",
  },
  SUPERSEDED: {
    meaning: 'A certificate was used whose successor has been in use for more than an hour.',
    causes: [
      'Two agents share one identity, and one of them kept the old file.',
      'A backup of the identity was put back.',
    ],
    person: 'Nothing: it concerns the agent of a cluster.',
    operator: 'Let all instances of the agent use the same folder or Secret; the agent reads it again by itself.',
    example: "The agent's certificate was replaced by a newer one.",
  },
} as const satisfies Record<string, ErrorHelp>;
