import { barChart, type Figure, heatMap } from '../plots/index.js';
import type { LabelSummary } from './summary.js';

/** Titles and notes of the pictures, by the names of their files, in the order of the page. */
const captions: Readonly<Record<string, { readonly title: string; readonly note: string }>> = {
  'labels.svg': { title: 'Frames of each label', note: '' },
  'labels-per-frame.svg': { title: 'Labels a frame', note: '' },
  'label-sets.svg': {
    title: 'Sets of labels that occur most often',
    note: 'Frames that have exactly these labels.',
  },
  'co-occurrence.svg': {
    title: 'Labels that come together',
    note: 'Colours follow the logarithm, so that rare pairs can be seen beside common ones.',
  },
  'frames.png': {
    title: 'Frames with their labels',
    note: 'Microtubules red, protein green, nucleus blue, endoplasmic reticulum yellow, others grey; each plane stretched for looking at, which models never see.',
  },
};

/** Every picture of the counts, SVG by the name of its file. */
export function drawSummary(summary: LabelSummary): Record<string, string> {
  const { labels, labelsPerFrame, commonSets, coOccurrence, frameCount } = summary;
  const name = (index: number) => `${index} ${labels[index]?.label}`;
  const frames = (values: readonly number[], texts?: readonly string[]) => [
    { name: 'frames', values, ...(texts === undefined ? {} : { texts }) },
  ];
  const percent = (of: number) => {
    const share = (of / Math.max(1, frameCount)) * 100;
    return `${share.toFixed(share > 0 && share < 0.1 ? 2 : 1)} %`;
  };
  return {
    'labels.svg': barChart({
      title: 'Frames of each label',
      xLabel: 'frames',
      categories: labels.map(({ index }) => name(index)),
      series: frames(
        labels.map((label) => label.frames),
        labels.map((label) => `${label.frames}  (${percent(label.frames)})`),
      ),
    }),
    'labels-per-frame.svg': barChart({
      title: 'Labels a frame',
      xLabel: 'frames',
      categories: labelsPerFrame.map(({ labels: of }) => `${of} ${of === 1 ? 'label' : 'labels'}`),
      series: frames(
        labelsPerFrame.map((one) => one.frames),
        labelsPerFrame.map((one) => `${one.frames}  (${percent(one.frames)})`),
      ),
    }),
    'label-sets.svg': barChart({
      title: 'Sets of labels that occur most often',
      xLabel: 'frames',
      categories: commonSets.map(({ labels: of }) =>
        of.length === 0 ? 'no label' : of.map((index) => labels[index]?.label).join(' + '),
      ),
      series: frames(commonSets.map((one) => one.frames)),
    }),
    'co-occurrence.svg': heatMap({
      title: 'Labels that come together',
      subtitle: 'frames that have both; on the diagonal, frames that have the label',
      rows: labels.map(({ index }) => name(index)),
      columns: labels.map(({ index }) => name(index)),
      rowLabel: 'label',
      columnLabel: 'label',
      values: coOccurrence,
      isLogarithmic: true,
    }),
  };
}

/** The pictures as they stand on the page. */
export function edaFigures(pictures: Readonly<Record<string, string | Buffer>>): readonly Figure[] {
  return Object.entries(captions).flatMap(([file, { title, note }]) => {
    const picture = pictures[file];
    if (picture === undefined) return [];
    const content =
      typeof picture === 'string' ? { svg: picture } : { png: picture, alt: title.toLowerCase() };
    return [{ title, note, content }];
  });
}
