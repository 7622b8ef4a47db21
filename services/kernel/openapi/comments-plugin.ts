/**
 * A plugin of `buf generate` that keeps the schema's comments, which the generated descriptors leave out: one table, full name → text,
 * in `schemas/gen/comments.ts`. The API reference speaks with them, so that nothing is described twice.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  type CodeGeneratorResponse,
  type DescriptorProto,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';

// Field numbers in google/protobuf/descriptor.proto: a comment's place is a path of them and of indexes.
const inFile = { message: 4, enumeration: 5, service: 6 } as const;
const inMessage = { field: 2 } as const;
const inEnum = { value: 2 } as const;
const inService = { method: 2 } as const;

type Named = readonly [path: string, name: string];

/** The answer to buf: the one file. `request` = a CodeGeneratorRequest. */
export function commentsFile(request: Uint8Array): CodeGeneratorResponse {
  const { protoFile, fileToGenerate } = fromBinary(CodeGeneratorRequestSchema, request);
  const files = protoFile.filter(({ name }) => fileToGenerate.includes(name));
  const entries = files.flatMap(commentsOf).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const lines = entries.map(([name, text]) => `  ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`);
  const content =
    '// Generated from proto/ by services/kernel/openapi/comments-plugin.ts. Do not edit.\n\n' +
    '/** The comments of the schema, by full name. */\n' +
    `export const comments: Readonly<Record<string, string>> = {\n${lines.join('')}};\n`;
  return create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
    file: [{ name: 'comments.ts', content }],
  });
}

function commentsOf(file: FileDescriptorProto): readonly Named[] {
  const names = new Map(namesOf(file));
  return (file.sourceCodeInfo?.location ?? []).flatMap(({ path, leadingComments }): readonly Named[] => {
    const name = names.get(path.join('.'));
    const text = leadingComments.replace(/\s+/g, ' ').trim();
    return name === undefined || text === '' ? [] : [[name, text]];
  });
}

function namesOf(file: FileDescriptorProto): readonly Named[] {
  const full = (name: string): string => `${file.package}.${name}`;
  return [
    ...file.messageType.flatMap((message, at) =>
      namesOfMessage(message, `${inFile.message}.${at}`, full(message.name)),
    ),
    ...(file.enumType.flatMap(({ name, value }, at) => {
      const path = `${inFile.enumeration}.${at}`;
      return [
        [path, full(name)],
        ...value.map((one, index) => [`${path}.${inEnum.value}.${index}`, full(`${name}.${one.name}`)]),
      ];
    }) as Named[]),
    ...(file.service.flatMap(({ name, method }, at) => {
      const path = `${inFile.service}.${at}`;
      return [
        [path, full(name)],
        ...method.map((one, index) => [`${path}.${inService.method}.${index}`, full(`${name}.${one.name}`)]),
      ];
    }) as Named[]),
  ];
}

const namesOfMessage = ({ field }: DescriptorProto, path: string, name: string): readonly Named[] => [
  [path, name],
  ...field.map((one, index): Named => [`${path}.${inMessage.field}.${index}`, `${name}.${one.name}`]),
];

async function answerBuf(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  process.stdout.write(toBinary(CodeGeneratorResponseSchema, commentsFile(Buffer.concat(chunks))));
}

if (import.meta.main) await answerBuf();
