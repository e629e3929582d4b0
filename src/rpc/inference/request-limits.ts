import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** Fields of a request with one input; an honest one has about ten. */
const maxFields = 1000;
/** Bytes of typed contents: each becomes a number of JavaScript, some 20 ms for all of these. */
const maxTypedBytes = 2 * 1024 * 1024;

/** Which fields are looked into: `inputs` and `outputs`, and the `contents` of an input. */
const request: Shape = { 5: { 5: {} }, 6: {} };
interface Shape {
  readonly [field: number]: Shape;
}
/** `raw_input_contents`: they stay bytes, so that their number does not matter. */
const rawField = 7;

/**
 * What is wrong with the size of a `ModelInferRequest`, before it is decoded: 64 MiB of
 * typed contents or of empty messages would stop the event loop for seconds. null when it
 * may be decoded; what makes no sense is left to the decoder.
 */
export function findExcess(bytes: Uint8Array): string | null {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  let typedBytes = 0;

  const walk = (end: number, shape: Shape): void => {
    while (reader.pos < end) {
      const [field, wireType] = reader.tag();
      fields += 1;
      if (fields > maxFields || typedBytes > maxTypedBytes) return;
      if (wireType !== WireType.LengthDelimited) {
        reader.skip(wireType, field);
        continue;
      }
      const next = reader.uint32() + reader.pos;
      const inner = shape[field];
      if (inner !== undefined) walk(Math.min(next, end), inner);
      else if (shape !== request || field !== rawField) typedBytes += next - reader.pos;
      reader.pos = next;
    }
  };

  try {
    walk(bytes.length, request);
  } catch {
    return null;
  }
  if (typedBytes > maxTypedBytes) {
    return `expected at most ${maxTypedBytes} bytes of typed contents: send larger tensors in raw_input_contents`;
  }
  return fields > maxFields ? `expected at most ${maxFields} fields in a message` : null;
}
