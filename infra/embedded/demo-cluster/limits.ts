/**
 * Every bound of the demo cluster in one table. It is a stand-in on somebody's laptop: the numbers are generous for a
 * demonstration and small for a machine.
 *
 * Invariant: whatever grows in this folder names its bound here.
 */
export const limits = {
  /** A request body; the API server's own limit. */
  bodyBytes: 3 * 1024 * 1024,
  /** How long a client may take to send its body. */
  bodyMs: 60_000,
  /** Stored objects, their size one by one and together. */
  objects: 5_000,
  objectBytes: 1024 * 1024,
  storeBytes: 64 * 1024 * 1024,
  /** Pods of the whole cluster: one node pretends to run them all. */
  pods: 200,
  /** Events kept; the oldest go first. */
  events: 300,
  /** Past changes that a watch can be resumed from. */
  historyChanges: 4_096,
  historyBytes: 32 * 1024 * 1024,
  /** Watches and followed logs open at once. */
  streams: 1_000,
  /** HTTP/2 streams a client may have open on one connection. */
  streamsPerConnection: 250,
  /** Header fields of a request: each group of an impersonated user is one. */
  headers: 2_000,
  /** Memory of one HTTP/2 connection; several long lists at once need more than Node's 10. */
  sessionMegabytes: 64,
  /** A watch without timeoutSeconds ends at random between this and twice this, as the API server's do. */
  watchMs: 30 * 60_000,
  /** How often a quiet watch is told the current revision, when it asked for bookmarks. */
  bookmarkMs: 60_000,
  /** Lines a container's log holds before the oldest are rotated away. */
  logLines: 5_000,
  /** How long a log may be followed. */
  followMs: 4 * 60 * 60_000,
  /** Execs, attaches and port-forwards open at once; streams of one of them that are open at once. */
  remoteSessions: 200,
  remoteStreams: 256,
  /** What a client of one of these sent and nobody has read yet. */
  remoteWaitingBytes: 1024 * 1024,
  /** One WebSocket message of theirs; kubectl sends 32 KB. */
  webSocketMessageBytes: 1024 * 1024,
  /** How long a client may take to open the streams it asked for. */
  remoteStreamsMs: 30_000,
  /** How often a client is shown that we are there, and so whether it still is. */
  remoteHeartbeatMs: 20_000,
  /** Time a client gets to read the last words of a session. */
  remoteLingerMs: 1_500,
  /** Files in the simulated pods: of one pod, and of all. */
  podFileBytes: 256 * 1024 * 1024,
  allFileBytes: 512 * 1024 * 1024,
  /** One line of a shell, and all variables of one. */
  shellLineBytes: 64 * 1024,
  shellVariableBytes: 128 * 1024,
  /** Commands of one pipeline, and programs that one session runs at once. */
  pipelineCommands: 32,
  podProcesses: 64,
  /** What waits between two programs of a pipeline. */
  pipeBytes: 64 * 1024,
  /** Bytes a forwarded web server makes up for one answer. */
  webBytes: 1024 * 1024 * 1024,
  /** Time a stopping server gives open requests. */
  stopMs: 2_000,
} as const;
