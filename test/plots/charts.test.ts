import test from 'ava';
import sharp from 'sharp';
import { hpaLabels } from '../../src/label-set.js';
import { barChart, heatMap, lineChart, toPage } from '../../src/plots/index.js';

test('curves carry their title, axes and lines, in the size asked for', async (t) => {
  const svg = lineChart({
    title: 'Loss',
    xLabel: 'epoch',
    yLabel: 'cross-entropy',
    lines: [
      { name: 'training', points: pointsTo(6), group: 'loss', isDashed: true },
      { name: 'validation', points: pointsTo(6), group: 'loss' },
    ],
    mark: { x: 4, text: 'best epoch' },
    widthPx: 500,
    heightPx: 300,
  });
  for (const text of ['Loss', 'epoch', 'cross-entropy', 'training', 'validation', 'best epoch']) {
    t.true(textsOf(svg).includes(text), text);
  }
  const { width, height } = await sharp(Buffer.from(svg)).metadata();
  t.deepEqual([width, height], [500, 300]);
});

test('one epoch is a picture as well, and none is', async (t) => {
  for (const points of [[[1, 0.5] as const], []]) {
    const svg = lineChart({
      title: 'Loss',
      xLabel: 'epoch',
      yLabel: 'loss',
      lines: [{ name: 'loss', points }],
      ...(points.length > 0 ? { mark: { x: 1, text: 'best' } } : {}),
    });
    t.notRegex(svg, /NaN|Infinity/);
    // The point is a small circle of its own inside the grid.
    const circles = svg.match(/fill="#0072b2"|stroke="#0072b2"/g) ?? [];
    t.true(circles.length >= points.length);
    t.true((await sharp(Buffer.from(svg)).stats()).entropy > 0);
  }
});

test('a value that is not a number breaks a line and not the picture', (t) => {
  const line = { name: 'loss', points: [[1, 0.5] as const, [2, Number.NaN] as const] };
  const svg = lineChart({ title: 'Loss', xLabel: 'epoch', yLabel: 'loss', lines: [line] });
  t.false(svg.includes('NaN'));
});

test('28 names stand beside their bars, each on a row of its own', (t) => {
  const svg = barChart({
    title: 'Frames of each label',
    xLabel: 'frames',
    categories: hpaLabels,
    series: [{ name: 'frames', values: hpaLabels.map((_, label) => label * 10) }],
  });
  const texts = textsOf(svg);
  for (const label of hpaLabels) t.true(texts.includes(label), label);
  t.true(texts.includes('270'));
  const rows = new Set(placesOf(svg, hpaLabels).map(([, y]) => y));
  t.is(rows.size, hpaLabels.length);
});

test('a heat map names both sides and numbers what is not zero', (t) => {
  const svg = heatMap({
    title: 'Together',
    columns: ['a', 'b'],
    rows: ['c', 'd'],
    columnLabel: 'second',
    rowLabel: 'first',
    values: [
      [12_885, 0],
      [7, 0.25],
    ],
    isLogarithmic: true,
  });
  const texts = textsOf(svg);
  for (const text of ['a', 'b', 'c', 'd', 'first', 'second', '13k', '7', '0.25']) {
    t.true(texts.includes(text), text);
  }
  t.false(texts.includes('0'));
});

test('names with markup come out as text', (t) => {
  const name = '<script>alert("&")</script>';
  const svg = barChart({
    title: name,
    xLabel: 'x',
    categories: [name],
    series: [{ name: 'x', values: [1] }],
  });
  const page = toPage({
    title: name,
    intro: [name],
    figures: [
      { title: name, content: { svg } },
      { title: 'table', content: { head: [name], rows: [[name]] } },
    ],
  });
  t.false(page.includes('<script'));
  t.true(page.includes('&lt;script&gt;'));
});

test('a page holds its pictures and asks for nothing else', (t) => {
  const page = toPage({
    title: 'Report',
    intro: [],
    figures: [{ title: 'frames', content: { png: Uint8Array.of(1, 2, 3), alt: 'frames' } }],
  });
  t.true(page.includes('src="data:image/png;base64,AQID"'));
  t.notRegex(page, /(?:src|href)="(?!data:)/);
});

function pointsTo(count: number): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, at) => [at + 1, 1 / (at + 1)] as const);
}

function textsOf(svg: string): readonly string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) =>
    (text ?? '').replaceAll('&amp;', '&'),
  );
}

/** Where the names are drawn. */
function placesOf(svg: string, names: readonly string[]): readonly (readonly [number, number])[] {
  return [...svg.matchAll(/<text[^>]*translate\(([\d.]+) ([\d.]+)\)[^>]*>([^<]*)<\/text>/g)]
    .filter(([, , , text]) => names.includes((text ?? '').replaceAll('&amp;', '&')))
    .map(([, x, y]) => [Number(x), Number(y)] as const);
}
