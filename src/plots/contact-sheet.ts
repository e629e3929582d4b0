import sharp, { type OverlayOptions } from 'sharp';
import { inkColour } from './chart.js';
import { openTypeface } from './text.js';
import type { Thumbnail } from './thumbnail.js';

/** What a line of a caption says, which gives its colour. */
export type Tone = 'plain' | 'quiet' | 'right' | 'wrong';

/** One thing said under a thumbnail. */
export interface CaptionLine {
  readonly text: string;
  readonly tone: Tone;
}

/** One place of the sheet. */
export interface Cell {
  readonly thumbnail: Thumbnail;
  /** Each is broken into at most three lines of the cell's width. */
  readonly caption: readonly CaptionLine[];
}

export interface ContactSheetOptions {
  /** @default 6 */
  readonly columns?: number;
  /** @default '' */
  readonly title?: string;
}

const sizePx = 12;
const linePx = 16;
const gapPx = 14;
const titleSizePx = 16;
const tones: Readonly<Record<Tone, string>> = {
  plain: inkColour,
  quiet: '#777777',
  right: '#00724f',
  wrong: '#b3261e',
};

/**
 * Frames in rows with what is to be said under each, as one PNG. Captions are
 * drawn as outlines, so they come out alike on machines without any font.
 */
export async function contactSheet(
  cells: readonly Cell[],
  { columns = 6, title = '' }: ContactSheetOptions = {},
): Promise<Buffer> {
  const typeface = openTypeface();
  const edgePx = Math.max(1, ...cells.map(({ thumbnail }) => thumbnail.edgePx));
  const columnCount = Math.max(1, Math.min(columns, cells.length));
  const widthPx = gapPx + columnCount * (edgePx + gapPx);
  const wrapped = cells.map(({ caption }) =>
    caption.flatMap(({ text, tone }) =>
      typeface
        .wrap(text, { widthPx: edgePx, sizePx, mostLines: 3 })
        .map((line) => ({ text: line, tone })),
    ),
  );
  const shapes: string[] = [];
  const pictures: OverlayOptions[] = [];
  const titleLines =
    title === ''
      ? []
      : openTypeface('bold').wrap(title, {
          widthPx: widthPx - 2 * gapPx,
          sizePx: titleSizePx,
          mostLines: 3,
        });
  let top = gapPx;
  for (const line of titleLines) {
    top += titleSizePx + 6;
    const outline = openTypeface('bold').outline(line, gapPx, top - 6, titleSizePx);
    shapes.push(`<path fill="${inkColour}" d="${outline}"/>`);
  }
  if (titleLines.length > 0) top += gapPx / 2;
  for (let first = 0; first < cells.length; first += columnCount) {
    const row = cells.slice(first, first + columnCount);
    const lineCount = Math.max(
      0,
      ...wrapped.slice(first, first + columnCount).map((w) => w.length),
    );
    for (const [column, { thumbnail }] of row.entries()) {
      const left = gapPx + column * (edgePx + gapPx);
      pictures.push({
        input: Buffer.from(thumbnail.rgb.buffer, thumbnail.rgb.byteOffset, thumbnail.rgb.length),
        raw: { width: thumbnail.edgePx, height: thumbnail.edgePx, channels: 3 },
        left,
        top,
      });
      for (const [at, { text, tone }] of (wrapped[first + column] ?? []).entries()) {
        const baseline = top + edgePx + (at + 1) * linePx;
        const outline = typeface.outline(text, left, baseline, sizePx);
        shapes.push(`<path fill="${tones[tone]}" d="${outline}"/>`);
      }
    }
    top += edgePx + lineCount * linePx + gapPx + 4;
  }
  const heightPx = top;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">${shapes.join('')}</svg>`;
  return sharp({ create: { width: widthPx, height: heightPx, channels: 3, background: '#ffffff' } })
    .composite([...pictures, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ compressionLevel: 9 })
    .toBuffer();
}
