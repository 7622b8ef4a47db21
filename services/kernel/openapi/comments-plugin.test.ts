import { create, toBinary } from '@bufbuild/protobuf';
import { CodeGeneratorRequestSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { commentsFile } from './comments-plugin.ts';

const place = (path: number[], leadingComments: string) => ({ path, leadingComments, span: [0, 0, 0] });

describe('the comments of the schema', () => {
  const request = create(CodeGeneratorRequestSchema, {
    fileToGenerate: ['a.proto'],
    protoFile: [
      {
        name: 'a.proto',
        package: 'a.v1',
        messageType: [{ name: 'Thing', field: [{ name: 'id' }, { name: 'silent' }] }],
        enumType: [{ name: 'Kind', value: [{ name: 'KIND_UNSPECIFIED' }] }],
        service: [{ name: 'S', method: [{ name: 'Get' }] }],
        sourceCodeInfo: {
          location: [
            place([4, 0], ' A thing.\n On two lines.\n'),
            place([4, 0, 2, 0], ' Its "id".\n'),
            place([5, 0, 2, 0], ' Nothing.\n'),
            place([6, 0], ' The service.\n'),
            place([6, 0, 2, 0], ' Gets it.\n'),
            place([4, 0, 2, 1], ''),
          ],
        },
      },
      { name: 'not-asked-for.proto', package: 'b.v1', messageType: [{ name: 'Other' }] },
    ],
  });

  it('are kept by full name, in one line each, in order', () => {
    const [file] = commentsFile(toBinary(CodeGeneratorRequestSchema, request)).file;
    expect(file?.name).toBe('comments.ts');
    expect(file?.content?.match(/^ {2}".*$/gm)).toEqual([
      '  "a.v1.Kind.KIND_UNSPECIFIED": "Nothing.",',
      '  "a.v1.S": "The service.",',
      '  "a.v1.S.Get": "Gets it.",',
      '  "a.v1.Thing": "A thing. On two lines.",',
      '  "a.v1.Thing.id": "Its \\"id\\".",',
    ]);
  });
});
