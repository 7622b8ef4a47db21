/** Help for the refusals that are about the form of a request, its pace, and the parts of Clustral behind the gateway. */
import type { ErrorHelp } from './entry.ts';

export const requestHelp = {
  RATE_LIMITED: {
    meaning: 'More requests came, or are open, than one credential or one person may have.',
    causes: [
      'A script or a controller asks in a loop without waiting.',
      'Many watches are open with one credential.',
      'Several people share one credential.',
    ],
    person: 'Wait as long as Retry-After says, then go on more slowly. Let a script use a watch in place of a loop.',
    operator: 'PROXY_RATE_LIMITING_* sets the pace of one credential. The access log shows who asks how much.',
    example: '200 requests are open with this credential already. End one of them, or wait until one is done.',
  },
  ROUTE_NOT_FOUND: {
    meaning: 'There is nothing at this path.',
    causes: ['The path was mistyped.', 'A newer client asks an older server.', 'A proxy in front changed the path.'],
    person: 'Compare the path with the API reference at /api/v1/openapi.json.',
    operator: 'Compare the routes of the proxy in front with the documentation.',
    example: 'There is no GET here.',
  },
  METHOD_NOT_ALLOWED: {
    meaning: 'The path is right, and this method is not for it.',
    causes: ['GET was used where POST is meant, or the other way round.'],
    person: 'Use a method that the Allow header of the answer names.',
    operator: 'Nothing.',
    example: 'PUT is not allowed here; GET and POST are.',
  },
  REQUEST_TOO_LARGE: {
    meaning: 'The body of the request is larger than 10 MB, which is also more than a Kubernetes API server takes.',
    causes: ['A ConfigMap or Secret holds whole files.', 'Very many objects were put into one request.'],
    person: "Send less at once. 'kubectl cp' has no such limit.",
    operator: 'A proxy in front may have a lower limit of its own.',
    example: 'The request body is larger than 10 MB.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    meaning: 'The body came as something else than JSON.',
    causes: ['The Content-Type header is missing or wrong, as with plain curl -d.'],
    person: "Send 'Content-Type: application/json'.",
    operator: 'Nothing.',
    example: 'The body must be application/json.',
  },
  BAD_REQUEST: {
    meaning: 'The request cannot be read, or could be read in two ways.',
    causes: [
      'The JSON is malformed, or names a field twice.',
      'Headers contradict each other, as two lengths do.',
      'Something between client and server changed the request.',
    ],
    person: 'Send well-formed HTTP and JSON. The sentence says which part could not be read.',
    operator:
      'When it meets many: look at the proxy in front. Repeated strange requests are a reason to look who sends them.',
    example: 'The body is no JSON object.',
  },
  INVALID_PATH: {
    meaning: 'The path holds something that servers read differently, so it is not carried to a cluster.',
    causes: [
      "A '.' or '..' segment, plain or encoded.",
      'A space or a control character.',
      'A path was put together from untrusted text.',
    ],
    person: 'Write the path as Kubernetes documents it.',
    operator: 'Nothing; repeated ones are a reason to look who sends them.',
    example: "The path holds a '.' or '..' segment, which is not carried to a cluster.",
  },
  IMPERSONATION_NOT_ALLOWED: {
    meaning:
      'The request says by itself as whom it shall be done. Clustral says that, from who signed in, and nobody else can.',
    causes: ['kubectl was called with --as, --as-group or --as-uid.', 'The kubeconfig has an act-as entry.'],
    person: "Leave it out. To act with more rights, ask for a role: 'clustral access request'.",
    operator: 'Make a role with the groups that are needed in place of people who act as others.',
    example: '--as cannot be used here: Clustral sets who you are.',
  },
  UPSTREAM_UNREACHABLE: {
    meaning: 'The gateway works, and the service behind it cannot be reached.',
    causes: ['The control plane, the audit service or the dashboard does not run.', 'Its address is configured wrong.'],
    person: 'Try again in a minute.',
    operator: 'Look whether the part runs, and compare CONTROLPLANE_URL, AUDIT_SERVICE_URL and WEB_URL of the gateway.',
    example: 'The control plane does not answer.',
  },
  UPSTREAM_UNAVAILABLE: {
    meaning: 'The service behind the gateway is there and cannot serve yet, or not any more.',
    causes: ['It is starting.', 'It is being stopped.', "The identity provider's keys could not be fetched."],
    person: 'Try again in a few seconds.',
    operator: 'Ask the part itself: /healthz/ready says in a sentence what it waits for.',
    example: 'The control plane is starting.',
  },
  UPSTREAM_TIMEOUT: {
    meaning: 'The service behind the gateway took the request and did not answer in time.',
    causes: ['It is overloaded.', 'Its log or its read models are slow.'],
    person: 'Try again. Before you repeat an act that changes something, look whether it happened.',
    operator: 'Look at the load of the part and at the disk of the event store.',
    example: 'The control plane took longer than 30 seconds.',
  },
  STORE_UNAVAILABLE: {
    meaning:
      'The log cannot be read or written at the moment. Nothing is decided then, because a decision that rests on old facts could be wrong.',
    causes: [
      'The event store restarts or is out of reach.',
      'Its disk is full or fails.',
      'This control plane waits because another one is active.',
    ],
    person:
      'Try again in a few seconds. Nothing of the request was done, unless it is found done afterwards: look first.',
    operator:
      "Look at the event store's log and at its disk. Of two control planes, readiness says which one is active.",
    example:
      "The log did not answer in time. Try again in a few seconds; when it stays, look at the event store's log.",
  },
  VALIDATION_ERROR: {
    meaning: 'A field of the request is missing or has a value that cannot be.',
    causes: ['The answer names the field and what it must be.'],
    person: 'Correct the named field and send it again.',
    operator: 'Nothing.',
    example: 'name must be 1 to 63 characters of a-z, 0-9 and -.',
  },
  INVALID_DURATION: {
    meaning: 'A duration cannot be read, or is longer or shorter than allowed.',
    causes: ['It was written in another way, such as 8 hours or 8:00.', "The role's longest time is shorter."],
    person: "Write '30m', '8h', '1d12h' or 'PT8H', within the limits that the sentence names.",
    operator: "The longest time is set by the installation and by the role's review rules.",
    example: "'8 hours' is no duration. Write it as 8h.",
  },
  AUDIT_EVENT_NOT_FOUND: {
    meaning: 'There is no audit event of that id.',
    causes: ['The id was mistyped or cut short.', 'It is older than what this installation keeps.'],
    person: "'clustral audit' shows the events, and from when on they are complete.",
    operator: 'Nothing.',
    example: 'There is no audit event of that id.',
  },
  CONFLICT: {
    meaning: 'Somebody else changed the same thing at the same moment. Nothing was changed by this request.',
    causes: ['Two people, or two scripts, edit the same thing.'],
    person: 'Read the current state and decide again.',
    operator: 'Nothing.',
    example: 'The role was changed meanwhile. Read it again, then repeat the change.',
  },
  IDEMPOTENCY_MISMATCH: {
    meaning: 'The Idempotency-Key was used before, with another request. Neither is repeated nor mixed with the other.',
    causes: ['A script uses one key for everything.', 'A request was changed and sent again with its old key.'],
    person: 'Use a new key for a new request, and the same key only to repeat the same one.',
    operator: 'Nothing.',
    example: 'This Idempotency-Key was used for another request.',
  },
  INTERNAL_ERROR: {
    meaning: 'Something happened that nobody foresaw: a fault of Clustral. What is not sure is not done.',
    causes: ['A fault in Clustral.'],
    person: 'Give the correlation id (X-Correlation-Id) to whoever runs this installation.',
    operator: 'Search the logs of all parts for the correlation id and report what stands there.',
    example: 'Something went wrong inside Clustral. Give the correlation id to the operator.',
  },
} as const satisfies Record<string, ErrorHelp>;
