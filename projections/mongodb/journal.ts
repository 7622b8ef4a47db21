/**
 * A commit on a server without transactions. What is to be written is first stored whole in a journal, and from then on it
 * happens: a process that dies between two documents finds the journal at its next start and writes it again, which
 * changes nothing that was written already. Only then the checkpoint moves and the journal goes.
 *
 * Rule: a commit counts from the moment its head is in the journal, and not before.
 */
import { Long } from 'mongodb';
import type { Commit } from '../read-store.ts';
import { applyWrites, orSecondWriter, prepared, type Prepared } from './apply.ts';
import type { MongoQueries } from './queries.ts';

/** Characters of writes in one part: a document of MongoDB holds 16 MiB, a character at most three bytes of them. */
const partLength = 4 << 20;
const head = 'head';

type Part = { readonly _id: string; readonly writes: string };
type Head = { readonly _id: string; readonly projection: string; readonly position: Long; readonly parts: number };

/** Stores the commit; `base` is where the projection stands. Throws when another process writes too. */
export async function commitByJournal(queries: MongoQueries, commit: Commit, base: bigint | undefined): Promise<void> {
  const { projection, position } = commit;
  const writes = prepared(commit);
  await begin(queries, { projection, position, writes });
  await applyWrites(queries, { projection, position, writes, newest: base ?? -1n });
  await heads(queries).deleteOne({ _id: head });
}

/** Completes a commit that was cut short, if there is one. */
export async function completeCommit(queries: MongoQueries): Promise<void> {
  const begun = await heads(queries).findOne({ _id: head }, { promoteLongs: false });
  if (begun === null) return;
  const writes: Prepared[] = [];
  for (let part = 0; part < Number(begun.parts); part += 1) {
    const found = await parts(queries).findOne({ _id: `part ${part}` });
    if (found === null) throw new Error(`part ${part} of an unfinished commit is missing`);
    writes.push(...(JSON.parse(found.writes) as Prepared[]));
  }
  const position = begun.position.toBigInt();
  await applyWrites(queries, { projection: begun.projection, position, writes, newest: position });
  await heads(queries).deleteOne({ _id: head });
}

const heads = (queries: MongoQueries) => queries.collection<Head>('journal');
const parts = (queries: MongoQueries) => queries.collection<Part>('journal');

type Begun = Omit<Commit, 'writes'> & { readonly writes: readonly Prepared[] };

async function begin(queries: MongoQueries, { projection, position, writes }: Begun): Promise<void> {
  const texts = split(writes);
  for (const [part, text] of texts.entries()) {
    await parts(queries).replaceOne({ _id: `part ${part}` }, { writes: text }, { upsert: true });
  }
  const counts: Head = { _id: head, projection, position: Long.fromBigInt(position), parts: texts.length };
  // Somebody else's head is there only while they write.
  await heads(queries).insertOne(counts).catch(orSecondWriter);
}

function split(writes: readonly Prepared[]): readonly string[] {
  const texts: string[] = [];
  let part: string[] = [];
  let length = 0;
  for (const text of writes.map((write) => JSON.stringify(write))) {
    if (part.length > 0 && length + text.length > partLength) {
      texts.push(`[${part.join(',')}]`);
      part = [];
      length = 0;
    }
    part.push(text);
    length += text.length + 1;
  }
  return [...texts, `[${part.join(',')}]`];
}
