import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './protobuf.ts';
import { ApiError } from './status.ts';
import { recordedBodies } from './testing/recorded-bodies.ts';

describe('reading protobuf bodies', () => {
  it.each(recordedBodies)('reads what kubectl sends for $command', ({ body, says }) => {
    expect(decodeProtobuf(body)).toEqual(says);
  });

  it('refuses a kind it does not know and says how to send it', () => {
    const message = /does not read Widget as protobuf; send it as JSON/;
    expect(() => decodeProtobuf(enveloped('Widget', Buffer.alloc(0)))).toThrow(message);
  });

  it('refuses a field it does not know instead of dropping it', () => {
    expect(() => decodeProtobuf(enveloped('ConfigMap', Buffer.from([0xf8, 0x06, 1])))).toThrow(
      /field 111 of ConfigMap/,
    );
  });

  it('passes over unknown fields that are empty, which Kubernetes writes without meaning them', () => {
    expect(decodeProtobuf(enveloped('ConfigMap', Buffer.from([0xf8, 0x06, 0])))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
    });
  });

  it('answers any bytes with an object or a refusal, never with a fault of its own', () => {
    const bodies = fc.constantFrom(...recordedBodies.map(({ body }) => body));
    const damaged = fc.tuple(bodies, fc.nat(), fc.nat(255)).map(([body, at, byte]) => {
      const copy = Buffer.from(body);
      copy[4 + (at % (copy.length - 4))] = byte;
      return copy;
    });
    fc.assert(
      fc.property(damaged, (body) => {
        try {
          expect(typeof decodeProtobuf(body)).toBe('object');
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function enveloped(kind: string, raw: Buffer): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const type = Buffer.concat([field(1, Buffer.from('v1')), field(2, Buffer.from(kind))]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, raw)]);
}
