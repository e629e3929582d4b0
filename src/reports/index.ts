export { type ReportExtras, writeReport } from './write-report.js';
