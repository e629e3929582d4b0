export type { ExplainFrame } from './draw-explanations.js';
export { writeComparison } from './write-comparison.js';
export { writeCrossValidation } from './write-cross-validation.js';
export { writeEmbeddings } from './write-embeddings.js';
export { openMapsFolder } from './write-maps.js';
export { writeReport } from './write-report.js';
