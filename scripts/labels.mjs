// Draws what the simulator shows of each label beside what is known of it: docs/labels.md, its
// pictures in docs/labels/, and docs/simulated-labels.png, one cell a label, for the README.
// Simulated frames only. Run after a build: node scripts/labels.mjs
import { mkdir, rm, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { hpaLabels } from '../dist/src/label-set.js';
import { contactSheet } from '../dist/src/plots/index.js';
import { simulateCells } from '../dist/src/simulator/index.js';

const edgePx = 128;
const gapPx = 2;
const cellsEach = 5;

/** How each label looks when it is stained, in our words after the dictionary's. */
const looks = [
  'The whole nucleus, or all of it but the nucleoli; even to grainy.',
  'A thin line around the nucleus; where the membrane folds inward, lines or dots inside.',
  'One to several bright bodies in the nucleus, round or of odd shape, where DNA stains weakly.',
  'Dots in a cluster within each nucleolus; in some cells one larger dot instead.',
  'Some 20 to 50 mottled spots of irregular shape between the nucleoli.',
  'A few distinct spots in the nucleus, more regular and fewer than speckles, outside of the nucleoli.',
  'A mesh through the cytoplasm, strong around the nucleus and fading to the edge, often with the rim of the nucleus.',
  'Ribbons and vesicles close to one side of the nucleus, around the centrosome.',
  'Very many tiny bright dots all over the cytoplasm.',
  'Dots of unequal brightness, more of them towards the nucleus and the Golgi apparatus.',
  'Dots of many sizes, larger than other vesicles, crowded around the nucleus.',
  'A tangle of thin wavy threads, densest around the nucleus.',
  'Straight bundles through the cell, most of them side by side, and a rim beneath its edge.',
  'Short dense plaques near the edge, where bundles of actin end.',
  'Long thin strands through the whole cell, most of which come from near the nucleus: what the red stain shows too.',
  'Only the outermost tips of the microtubules: short strokes, sprinkled over the cell.',
  'Bundles that run together between two daughter cells, with a dark gap in the middle.',
  'In a dividing cell, a lens of fibres between two poles, across the plate of chromosomes.',
  'A diffuse grainy patch beside the nucleus, where the microtubules come together.',
  'One or two small sharp dots at that same place.',
  'Small rings, since the protein coats droplets that are dark inside; many lie in clusters.',
  'A line around the cell, with hairs or ruffles; sometimes also weak light from its whole surface.',
  'Stretches or patches of the edge, where cells touch each other.',
  'Threads, long or in short pieces, from close to the nucleus out towards the edge.',
  'A dense round lump beside the nucleus; seldom more than one.',
  'The whole cell but the nucleus, even to grainy.',
  'A few round spots in the cytoplasm, larger than vesicles and fewer of them.',
  'Straight rods and closed rings, a few micrometres across, in varying number.',
];

/** The protein as it was exposed; the stains of microtubules and DNA weaker behind it. */
function toColours({ planes }) {
  const [microtubules, protein, nucleus] = planes.map(({ bytes }) => bytes);
  const rgb = new Uint8Array(edgePx * edgePx * 3);
  for (let pixel = 0; pixel < edgePx * edgePx; pixel += 1) {
    rgb[3 * pixel] = 0.55 * microtubules[pixel];
    rgb[3 * pixel + 1] = Math.min(255, 1.15 * protein[pixel]);
    rgb[3 * pixel + 2] = 0.7 * nucleus[pixel];
  }
  return { edgePx, rgb };
}

const cell = (label, nth) =>
  toColours(simulateCells({ seed: 100 * (nth + 1) + label, labels: [label], sizePx: edgePx }));

async function strip(label) {
  const cells = Array.from({ length: cellsEach }, (_, nth) => cell(label, nth));
  return sharp({
    create: {
      width: cellsEach * (edgePx + gapPx) - gapPx,
      height: edgePx,
      channels: 3,
      background: '#808080',
    },
  })
    .composite(
      cells.map(({ rgb }, nth) => ({
        input: Buffer.from(rgb),
        raw: { width: edgePx, height: edgePx, channels: 3 },
        left: nth * (edgePx + gapPx),
        top: 0,
      })),
    )
    .webp({ quality: 82, smartSubsample: true, effort: 6 })
    .toBuffer();
}

const folder = new URL('../docs/', import.meta.url);
await rm(new URL('labels/', folder), { recursive: true, force: true });
await mkdir(new URL('labels/', folder), { recursive: true });
const rows = [];
for (const [label, name] of hpaLabels.entries()) {
  const file = `labels/${String(label).padStart(2, '0')}.webp`;
  await writeFile(new URL(file, folder), await strip(label));
  rows.push(`| ${label} | **${name}**<br>${looks[label]} | ![${name}](${file}) |`);
}
const text = `# The 28 labels, described and simulated

What a protein looks like that is at home in each structure, after the dictionary of cell structures of the
[Human Protein Atlas](https://www.proteinatlas.org/learn/dictionary/cell) and in our own words, beside ${cellsEach} cells of
the simulator, which draws after the same descriptions (\`src/simulator/patterns/\`, one file a family). The protein is
green, as bright as it was exposed; microtubules are red and the nucleus blue, both dimmed. No picture here is of a real cell.

What all cells share: an outline that is stretched, rough and drawn out to some corners; a nucleus with one to four
nucleoli; a network of microtubules with its centre beside the nucleus; a reticulum. A protein of one of these
lies where the stain of that structure lies. Optics blur (0.6 to 0.8 px), stain and exposure vary from channel to
channel and frame to frame, photons are counted and read out with their noise.

What is simpler than life: neighbours are not drawn, so junctions lie on a free edge; a single optical section has no
depth; an aggresome does not push the microtubules aside; a dividing cell is seen in metaphase or as two daughters.

| | label | five cells |
| --- | --- | --- |
${rows.join('\n')}

Drawn by \`npm run build && node scripts/labels.mjs\`.
`;
await writeFile(new URL('labels.md', folder), text);

const png = await contactSheet(
  hpaLabels.map((name, label) => ({
    thumbnail: cell(label, 0),
    caption: [{ text: `${label} ${name}`, tone: 'plain' }],
  })),
  { columns: 7, title: 'The 28 labels as the simulator draws them (protein green)' },
);
// noise compresses badly: a palette makes the picture small enough for a repository
const small = await sharp(png).png({ palette: true, effort: 8 }).toBuffer();
await writeFile(new URL('simulated-labels.png', folder), small);
console.log(`docs/labels.md with ${hpaLabels.length} pictures, docs/simulated-labels.png`);
