export { writeComparison } from './write-comparison.js';
export { type ReportExtras, writeReport } from './write-report.js';
