/** The label names a model was trained with, in the order of its probabilities. */
export type LabelSet = readonly string[];

/**
 * The 28 labels of the Human Protein Atlas competition of 2018, by number.
 * Source: kaggle.com/c/human-protein-atlas-image-classification, "Data".
 */
export const hpaLabels: LabelSet = Object.freeze([
  'Nucleoplasm',
  'Nuclear membrane',
  'Nucleoli',
  'Nucleoli fibrillar center',
  'Nuclear speckles',
  'Nuclear bodies',
  'Endoplasmic reticulum',
  'Golgi apparatus',
  'Peroxisomes',
  'Endosomes',
  'Lysosomes',
  'Intermediate filaments',
  'Actin filaments',
  'Focal adhesion sites',
  'Microtubules',
  'Microtubule ends',
  'Cytokinetic bridge',
  'Mitotic spindle',
  'Microtubule organizing center',
  'Centrosome',
  'Lipid droplets',
  'Plasma membrane',
  'Cell junctions',
  'Mitochondria',
  'Aggresome',
  'Cytosol',
  'Cytoplasmic bodies',
  'Rods & rings',
]);
