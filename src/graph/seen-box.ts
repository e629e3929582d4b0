/** A part of a frame in shares of its edges, 0..1 from the top left. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** All of the frame. */
export const wholeBox: Box = Object.freeze({ left: 0, top: 0, right: 1, bottom: 1 });

/** Between what a wide kernel takes off a small map, 7 of 5 px, and an odd map's halves, 5 of 3. */
const leastStride = 1.6;

interface Size {
  readonly heightPx: number;
  readonly widthPx: number;
}

/**
 * The part that is still stood for after a layer that makes maps of `before` into maps of
 * `after`, from the sizes alone: a layer that leaves most of a map is a convolution without
 * padding, which drops as much at each side; any other strides, and drops the rows and
 * columns at the end that fill no stride.
 */
export function stepBox(box: Box, before: Size, after: Size): Box {
  const [left, right] = stepEdge(box.left, box.right, before.widthPx, after.widthPx);
  const [top, bottom] = stepEdge(box.top, box.bottom, before.heightPx, after.heightPx);
  return { left, top, right, bottom };
}

function stepEdge(start: number, end: number, before: number, after: number): [number, number] {
  const cell = (end - start) / before;
  if (before / after < leastStride) {
    const dropped = ((before - after) / 2) * cell;
    return [start + dropped, end - dropped];
  }
  const stride = Math.round(before / after);
  return [start, Math.min(end, start + after * stride * cell)];
}
