import test from 'ava';
import {
  createStreamView,
  formatFrame,
  formatHeadline,
  type ShownFrame,
} from '../../src/cli/stream-view.js';

const shown = (frameId: string, latencyMs: number): ShownFrame => ({
  frameId,
  latencyMs,
  truth: ['Nucleoli', 'Cytosol'],
  top: [
    { label: 'Cytosol', probability: 0.91 },
    { label: 'Actin filaments', probability: 0.4 },
  ],
  outcome: 'ok',
});

test('the headline tells rate and percentiles of the latency', (t) => {
  let nowMs = 1000;
  const view = createStreamView(() => nowMs);
  for (let index = 0; index < 100; index += 1) {
    nowMs += 50;
    view.add(shown(`frame-${index}`, index < 98 ? 10 : 30));
  }
  const summary = view.summary();
  t.is(summary.frames, 100);
  t.is(summary.hits, 100);
  // The clock starts when the first frame was sent: 99 pauses and one latency.
  t.is(summary.framesPerSecond, 100 / 4.96);
  // The histogram keeps three significant digits.
  t.true(Math.abs(summary.p50Ms - 10) < 0.02);
  t.true(Math.abs(summary.p99Ms - 30) < 0.06);
  t.is(formatHeadline(summary), '100 frames  20.2 frames/s  latency p50 10.0 ms  p99 30.0 ms');
});

test('a frame whose first label is true is ticked', (t) => {
  t.is(
    formatFrame(shown('sim-1', 9.34), 120),
    '✔ sim-1    9.3 ms  truth Nucleoli + Cytosol  got Cytosol 0.91, Actin filaments 0.40',
  );
});

test('a frame without a prediction shows its outcome, and is counted', (t) => {
  const view = createStreamView(() => 0);
  const expired: ShownFrame = {
    ...shown('sim-2', 99),
    top: [],
    outcome: 'expired: its deadline passed',
  };
  view.add(expired);
  t.is(view.summary().ok, 0);
  t.is(view.summary().hits, 0);
  t.regex(formatHeadline(view.summary()), / 1 not ok$/);
  t.regex(formatFrame(expired, 120), /^· sim-2 .* got expired: its deadline passed$/);
});

test('a label that does not fit is left out with its number', (t) => {
  const whole = formatFrame(shown('sim-3', 1), 200);
  t.regex(whole, /, [^,]+ 0\.\d\d$/);
  const narrow = formatFrame(shown('sim-3', 1), whole.length - 1);
  t.is(narrow, whole.slice(0, whole.lastIndexOf(',')));
});

test('a line is cut to the width of the terminal', (t) => {
  const line = formatFrame(shown('sim-3', 1), 40);
  t.is(line.length, 40);
  t.true(line.endsWith('…'));
});
