/** What operations share by name: the schemas of messages and the answers that refuse, each made once. */
import type { DescMessage, JsonObject } from '@bufbuild/protobuf';
import type { ErrorCode } from '@clustral/schemas/errors.ts';
import { comments } from '@clustral/schemas/gen/comments.ts';
import { messageSchema, type Direction, type SchemaOptions } from '@clustral/schemas/openapi.ts';
import type { Route } from '@clustral/schemas/services.ts';

export class Components implements SchemaOptions {
  readonly comments = comments;
  readonly #schemas = new Map<string, JsonObject>();
  readonly #refusals = new Map<string, JsonObject>();
  readonly #refusalOf: (codes: readonly ErrorCode[]) => JsonObject;

  constructor(refusalOf: (codes: readonly ErrorCode[]) => JsonObject) {
    this.#refusalOf = refusalOf;
  }

  readonly refer = (message: DescMessage, direction: Direction): JsonObject => {
    // What is sent back as it was answered is still another schema: a request may leave out what an answer always has.
    const name = direction === 'sent' ? `${message.name}Input` : message.name;
    return this.#schema(name, () => messageSchema(message, { direction }, this));
  };

  /** The body of a request: what of its message the path does not hold. */
  bodyOf({ method: { input } }: Route, inPath: readonly string[]): JsonObject {
    return this.#schema(input.name, () => messageSchema(input, { direction: 'sent', without: inPath }, this));
  }

  /** The answer with one of these codes, which have one status. */
  referToRefusal(codes: readonly ErrorCode[]): JsonObject {
    const name = codes.join('.');
    if (!this.#refusals.has(name)) this.#refusals.set(name, this.#refusalOf(codes));
    return { $ref: `#/components/responses/${name}` };
  }

  schemas(): JsonObject {
    return inOrder(this.#schemas);
  }

  responses(): JsonObject {
    return inOrder(this.#refusals);
  }

  #schema(name: string, make: () => JsonObject): JsonObject {
    if (!this.#schemas.has(name)) {
      // Taken before it is made, for a message that holds itself.
      this.#schemas.set(name, {});
      this.#schemas.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

const inOrder = (named: ReadonlyMap<string, JsonObject>): JsonObject =>
  Object.fromEntries([...named].toSorted(([one], [other]) => (one < other ? -1 : 1)));
