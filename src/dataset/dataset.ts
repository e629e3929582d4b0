import type { LabelSet } from '../label-set.js';

/** One frame of a dataset: its files are `<folder>/<id>_<colour>.png`. */
export interface DatasetFrame {
  readonly id: string;
  /** Numbers of its labels, ascending, each once; empty where the file has no `Target`. */
  readonly labelIndices: readonly number[];
  /** The field of view it was cut from; null where nothing says so. */
  readonly group: string | null;
}

/** A folder of frames, as far as reading one needs it. */
export interface FrameFolder {
  /** Folder of the whole dataset. */
  readonly path: string;
  /** Folder of the planes within it. */
  readonly folder: 'train' | 'test';
  /** Roles of the planes that every frame has. */
  readonly channels: readonly string[];
}

/** A folder in the Kaggle layout, read and checked: every frame has all its files. */
export interface Dataset extends FrameFolder {
  readonly labels: LabelSet;
  /** In the order of `train.csv`. */
  readonly frames: readonly DatasetFrame[];
  /** Whether `train.csv` has a `Target`. */
  readonly hasLabels: boolean;
}

/** A folder of frames whose labels nobody tells. */
export interface TestFolder extends FrameFolder {
  /** In the order of `sample_submission.csv`. */
  readonly frames: readonly DatasetFrame[];
}
