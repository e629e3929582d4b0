import { DomainError } from '../errors.js';

/** Element types that our graphs use; named as in the ONNX specification. */
export type ElementType =
  | 'float16'
  | 'float32'
  | 'float64'
  | 'uint8'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'bool';

/** `N` is a batch size that is bound only when the graph runs (inference). */
export type Dimension = number | 'N';

/** Sizes of each axis, outermost first. */
export type Shape = readonly Dimension[];

/** One edge of a graph: a tensor by name, with its type and shape. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

/** The shape with every size bound; gradients need that. */
export function boundShape(shape: Shape): readonly number[] {
  return shape.map((size) => {
    if (size === 'N') throw new DomainError('internal', 'bug: a gradient of an unbound batch size');
    return size;
  });
}

/** Number of elements of a bound shape. */
export const elementCount = (shape: Shape): number =>
  boundShape(shape).reduce((product, size) => product * size, 1);

/** `[4, 128, 128]` as "4x128x128", for messages. */
export const describeShape = (shape: Shape): string => `[${shape.join(', ')}]`;
