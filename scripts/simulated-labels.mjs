// Draws docs/simulated-labels.png: one simulated frame of each label, its name below.
// Run after a build: node scripts/simulated-labels.mjs
import { mkdir, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { hpaLabels } from '../dist/src/label-set.js';
import { contactSheet, toThumbnail } from '../dist/src/plots/index.js';
import { simulateCells } from '../dist/src/simulator/index.js';

const edgePx = 128;
const cells = await Promise.all(
  hpaLabels.map(async (label, index) => ({
    thumbnail: await toThumbnail(
      simulateCells({ seed: 100 + index, labels: [index], sizePx: edgePx }),
      edgePx,
    ),
    caption: [{ text: `${index} ${label}`, tone: 'plain' }],
  })),
);
const png = await contactSheet(cells, {
  columns: 7,
  title: 'The 28 labels as the simulator draws them (protein green)',
});
const folder = new URL('../docs/', import.meta.url);
await mkdir(folder, { recursive: true });
// noise compresses badly: a palette makes the picture small enough for a repository
const small = await sharp(png).png({ palette: true, effort: 8 }).toBuffer();
await writeFile(new URL('simulated-labels.png', folder), small);
console.log(`docs/simulated-labels.png: ${small.length} bytes`);
