export type { LabelReport, Report } from './report.js';
