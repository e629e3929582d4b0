import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import opentype from 'opentype.js';

/**
 * Text as outlines from a font of our own. A picture drawn from `<text>` would
 * need a font on the machine: on a bare container it comes out blank.
 */
export interface Typeface {
  widthPx(text: string, sizePx: number): number;
  /** SVG path data whose baseline starts at x, y. */
  outline(text: string, xPx: number, yPx: number, sizePx: number): string;
  /** At most `mostLines` lines of at most `widthPx`, broken at spaces; the last ends in "…" where text was cut. */
  wrap(text: string, options: WrapOptions): readonly string[];
}

export interface WrapOptions {
  readonly widthPx: number;
  readonly sizePx: number;
  readonly mostLines: number;
}

const typefaces = new Map<string, Typeface>();

/** DejaVu Sans, read once. */
export function openTypeface(weight: 'regular' | 'bold' = 'regular'): Typeface {
  const file = `dejavu-sans-latin-${weight === 'bold' ? 700 : 400}-normal.woff`;
  const open = typefaces.get(file) ?? createTypeface(loadFont(file));
  typefaces.set(file, open);
  return open;
}

function loadFont(file: string): opentype.Font {
  const path = fileURLToPath(import.meta.resolve(`@fontsource/dejavu-sans/files/${file}`));
  const bytes = readFileSync(path);
  return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function createTypeface(font: opentype.Font): Typeface {
  // Glyph by glyph: opentype.js 2.0 refuses the font's substitution table, which
  // Latin text does without.
  const glyphsOf = (text: string) => Array.from(text, (character) => font.charToGlyph(character));
  const widthPx = (text: string, sizePx: number) =>
    (glyphsOf(text).reduce((sum, glyph) => sum + (glyph.advanceWidth ?? 0), 0) * sizePx) /
    font.unitsPerEm;

  const cut = (text: string, most: number, sizePx: number): string => {
    if (widthPx(text, sizePx) <= most) return text;
    const characters = Array.from(text);
    while (characters.length > 0 && widthPx(`${characters.join('')}…`, sizePx) > most) {
      characters.pop();
    }
    return `${characters.join('').trimEnd()}…`;
  };

  return {
    widthPx,
    outline(text, xPx, yPx, sizePx) {
      let x = xPx;
      return glyphsOf(text)
        .map((glyph) => {
          const path = glyph.getPath(x, yPx, sizePx).toPathData(2);
          x += ((glyph.advanceWidth ?? 0) * sizePx) / font.unitsPerEm;
          return path;
        })
        .join('');
    },
    wrap(text, { widthPx: most, sizePx, mostLines }) {
      const lines: string[] = [];
      const words = text.split(' ');
      while (words.length > 0 && lines.length < mostLines) {
        if (lines.length === mostLines - 1) {
          lines.push(cut(words.splice(0).join(' '), most, sizePx));
          break;
        }
        let line = words.shift() ?? '';
        while (words.length > 0 && widthPx(`${line} ${words[0]}`, sizePx) <= most) {
          line += ` ${words.shift()}`;
        }
        lines.push(cut(line, most, sizePx));
      }
      return lines;
    },
  };
}
