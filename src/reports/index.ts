export type { ExplainFrame, ShownMap } from './draw-explanations.js';
export { writeComparison } from './write-comparison.js';
export { type CrossValidationExtras, writeCrossValidation } from './write-cross-validation.js';
export { writeEmbeddings } from './write-embeddings.js';
export { type ExplainedAnswer, type MapsFolder, openMapsFolder } from './write-maps.js';
export { type ReportExtras, writeReport } from './write-report.js';
