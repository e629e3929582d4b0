/** Parts of a dataset that `evaluate` and `compare` can score, the default first. */
export const evaluatedParts = ['all', 'unseen', 'validation'] as const;

/** Words that several verbs share, so that an option reads the same everywhere. */
export const flags = {
  data: '--data <dir>',
  dataHelp:
    'dataset in the Kaggle layout: train.csv and train/<Id>_{red,green,blue,yellow}.png; a column Group, or an Id that ends in -<n>, tells fields of view',
  models: '--models <dir>',
  modelsHelp: 'folder of the models (default: models)',
  runs: '--runs <dir>',
  runsHelp: 'folder of the training runs (default: runs)',
  model: '--model <name[@version]>',
  modelHelp: 'model: NAME (its live version), NAME@3 or NAME@candidate',
  server: '--server <host:port>',
  serverHelp: 'ask this server instead of working in place',
  json: '--json',
  jsonHelp: 'print JSON, for a script',
} as const;
