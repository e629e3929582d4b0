import type { Layer, Network } from '../../graph/index.js';
import type { NetworkShape } from './index.js';

/** What residual networks differ in. */
export interface ResidualNetOptions {
  readonly name: string;
  /** Filters of the first convolution, at half the size of the frame. */
  readonly stemFilters: number;
  /** Filters and blocks of each stage, each at half the size of the one before. */
  readonly stages: readonly { readonly filters: number; readonly blocks: number }[];
  /** Of what is read of the planes, before the labels. */
  readonly dropoutRate: number;
}

/** Side of the squares of pixels that the first convolution sees as one place. */
const patchPx = 2;
/** Filters that are normalised together. */
const groupSize = 8;

/**
 * A residual network with group normalisation.
 *
 * Each channel of each frame is first brought to mean 0 and deviation 1, so that a dim
 * stain counts as much as a bright one. Squares of 2 by 2 px become one place of many
 * channels, which loses nothing and leaves a quarter of the places to reckon. A block is
 * two 3×3 convolutions; the gain of its second normalisation starts at 0, so that it begins
 * as its shortcut. The means of the planes after every stage and their largest values give the
 * labels: a mean alone thins out what fills a small part of a frame, as a few spots in one cell
 * do, and the last planes alone no longer have the fine texture that the first ones see. Any
 * size will do that leaves a pixel after the pools, and the last planes say where in the frame
 * a label was seen.
 *
 * Sources: blocks of He et al., arXiv 1512.03385; gains of 0 of Goyal et al., arXiv
 * 1706.02677, section 5.1; pools before convolutions instead of strides as in He et al.,
 * arXiv 1812.01187, section 4; means beside largest values as in Woo et al., CBAM, arXiv
 * 1807.06521, section 3; stages read together as in Sermanet and LeCun, IJCNN 2011.
 */
export function residualNet(
  { name, stemFilters, stages, dropoutRate }: ResidualNetOptions,
  { channels, heightPx, widthPx, labelCount }: NetworkShape,
): Network {
  let filtersBefore = stemFilters;
  const trunk = stages.map(({ filters, blocks }, index) => {
    const stage: Layer[] = index === 0 ? [] : [{ kind: 'averagePool', sizePx: 2 }];
    for (let block = 1; block <= blocks; block += 1) {
      const place = `stage${index + 1}/block${block}`;
      stage.push(residualBlock(place, { filters, filtersBefore }), { kind: 'relu' });
      filtersBefore = filters;
    }
    return stage;
  });
  const layers: readonly Layer[] = [
    { kind: 'standardise', groups: channels },
    { kind: 'spaceToDepth', sizePx: patchPx },
    { kind: 'conv', name: 'stem/conv', filters: stemFilters, kernelPx: 3, isPadded: true },
    { kind: 'groupNorm', name: 'stem/norm', groups: stemFilters / groupSize },
    { kind: 'relu' },
    { kind: 'maxPool', sizePx: 2 },
    { kind: 'stages', stages: trunk },
    { kind: 'dropout', rate: dropoutRate },
    { kind: 'dense', name: 'labels', units: labelCount },
  ];
  return { name, inputShape: [channels, heightPx, widthPx], layers };
}

function residualBlock(
  place: string,
  { filters, filtersBefore }: { readonly filters: number; readonly filtersBefore: number },
): Layer {
  const groups = filters / groupSize;
  const conv = (name: string, kernelPx: number): Layer => ({
    kind: 'conv',
    name: `${place}/${name}`,
    filters,
    kernelPx,
    isPadded: true,
  });
  return {
    kind: 'residual',
    layers: [
      conv('conv1', 3),
      { kind: 'groupNorm', name: `${place}/norm1`, groups },
      { kind: 'relu' },
      conv('conv2', 3),
      { kind: 'groupNorm', name: `${place}/norm2`, groups, gain: 0 },
    ],
    shortcut: filters === filtersBefore ? [] : [conv('shortcut', 1)],
  };
}
