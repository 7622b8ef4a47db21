/** Connecting to MongoDB with what the read models need of it: nothing is acknowledged before a majority has it on disk, and every call has a deadline. */
import { MongoClient, MongoError, type Db } from 'mongodb';

/** Where the read models are. */
export type MongoPlace = {
  /** `mongodb://…` or `mongodb+srv://…`, with credentials and TLS as MongoDB's drivers take them. */
  readonly connectionString: string;
  readonly database: string;
  readonly version: number;
};

const deadlineMs = 10_000;
const mostConnections = 20;

/** A client that connects on its first call. */
export function mongoClient(connectionString: string): MongoClient {
  return new MongoClient(connectionString, {
    appName: 'clustral',
    serverSelectionTimeoutMS: deadlineMs / 2,
    connectTimeoutMS: deadlineMs / 2,
    socketTimeoutMS: deadlineMs,
    waitQueueTimeoutMS: deadlineMs,
    maxPoolSize: mostConnections,
    ignoreUndefined: true,
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
  });
}

/** True where a commit of several documents can be one transaction: a replica set or a sharded cluster. */
export async function hasTransactions(database: Db): Promise<boolean> {
  const hello = await database.admin().command({ hello: 1 });
  return typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid';
}

/** True for what the driver, the server or the connection to it says, as opposed to a bug of ours. */
export const isMongoFailure = (error: unknown): error is Error =>
  error instanceof MongoError ||
  (error instanceof Error && socketFailures.has((error as NodeJS.ErrnoException).code ?? ''));

/** A connection that goes while it is written to is told by the socket, past the driver. */
const socketFailures: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
]);
