import type { Thumbnail } from './thumbnail.js';

/** A coarse map to be laid over a frame. */
export interface HeatLayer {
  readonly widthPx: number;
  readonly heightPx: number;
  /** uint8 `[height, width]`, rows top to bottom: 0 nothing, 255 the most. */
  readonly levels: Uint8Array;
  /** The part of the frame that it covers, in shares of its edges from the top left. */
  readonly box: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
}

/** The frame behind is shown in dark grey, so that its colours are not taken for heat. */
const backgroundShare = 0.6;
const heatColour = [255, 140, 20] as const;
const mostHeat = 0.75;

/**
 * A thumbnail in grey with a map in orange over the part that the map covers, between its
 * cells interpolated. One that is not square is taken to fill the middle, as `toThumbnail`
 * lays it.
 */
export function overlay(
  { edgePx, rgb, shown = { widthShare: 1, heightShare: 1 } }: Thumbnail,
  layer: HeatLayer,
): Thumbnail {
  const painted = new Uint8Array(rgb.length);
  const { box } = layer;
  for (let y = 0; y < edgePx; y += 1) {
    const down = ((y + 0.5) / edgePx - 0.5) / shown.heightShare + 0.5;
    const row = ((down - box.top) / (box.bottom - box.top)) * layer.heightPx - 0.5;
    for (let x = 0; x < edgePx; x += 1) {
      const across = ((x + 0.5) / edgePx - 0.5) / shown.widthShare + 0.5;
      const column = ((across - box.left) / (box.right - box.left)) * layer.widthPx - 0.5;
      const heat = (mostHeat * levelAt(layer, row, column)) / 255;
      const at = (y * edgePx + x) * 3;
      // Rec. 601 luma.
      const grey = 0.299 * (rgb[at] ?? 0) + 0.587 * (rgb[at + 1] ?? 0) + 0.114 * (rgb[at + 2] ?? 0);
      for (const [part, colour] of heatColour.entries()) {
        painted[at + part] = backgroundShare * grey * (1 - heat) + colour * heat;
      }
    }
  }
  return { edgePx, rgb: painted, shown };
}

/** Bilinear between cell centres; 0 beyond the half cell around the map. */
function levelAt({ levels, widthPx, heightPx }: HeatLayer, row: number, column: number): number {
  if (row < -0.5 || column < -0.5 || row > heightPx - 0.5 || column > widthPx - 0.5) return 0;
  const [y, x] = [Math.floor(row), Math.floor(column)];
  const cell = (atRow: number, atColumn: number): number => {
    const [inRow, inColumn] = [
      Math.min(heightPx - 1, Math.max(0, atRow)),
      Math.min(widthPx - 1, Math.max(0, atColumn)),
    ];
    return levels[inRow * widthPx + inColumn] ?? 0;
  };
  const [down, across] = [row - y, column - x];
  const above = cell(y, x) * (1 - across) + cell(y, x + 1) * across;
  const below = cell(y + 1, x) * (1 - across) + cell(y + 1, x + 1) * across;
  return above * (1 - down) + below * down;
}
