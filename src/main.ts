#!/usr/bin/env node
import {
  benchVerb,
  classifyVerb,
  compareVerb,
  createTerminal,
  edaVerb,
  evaluateVerb,
  modelsVerb,
  runCommandLine,
  runsVerb,
  scoreVerb,
  serveVerb,
  simulateVerb,
  submissionVerb,
  trainVerb,
  type Verb,
} from './cli/index.js';
import { demoVerb } from './demo/index.js';

/** The verbs, in the order of `--help`. A new one is a file in `cli/` and a line here. */
const verbs: readonly Verb[] = [
  serveVerb,
  trainVerb,
  evaluateVerb,
  compareVerb,
  classifyVerb,
  submissionVerb,
  scoreVerb,
  edaVerb,
  simulateVerb,
  modelsVerb,
  runsVerb,
  benchVerb,
  demoVerb,
];

process.exitCode = await runCommandLine(process.argv, { verbs, terminal: createTerminal(process) });
