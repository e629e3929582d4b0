import { PassThrough } from 'node:stream';
import test from 'ava';
import { createProgress, formatDuration, progressParts } from '../../src/cli/progress.js';

const collect = (stream: PassThrough) => {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
};

test('where there is no terminal, a plain line comes at most every ten seconds', (t) => {
  const stream = new PassThrough();
  const text = collect(stream);
  let nowMs = 0;
  const progress = createProgress(
    { title: 'training', unit: 'frames', total: 100 },
    { stream, now: () => nowMs },
  );
  for (let done = 1; done <= 50; done += 1) {
    nowMs += 500;
    progress.update(done, 'loss 0.5');
  }
  progress.end();
  t.deepEqual(text().split('\n'), [
    'training: 20/100 frames  20 %  2.0 frames/s  0:40 left  loss 0.5',
    'training: 40/100 frames  40 %  2.0 frames/s  0:30 left  loss 0.5',
    '',
  ]);
});

test('what was done before the bar is shown counts for no rate', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const text = collect(stream);
  let nowMs = 70_000;
  const progress = createProgress(
    { title: 'training', unit: 'steps', total: 700, begun: { done: 640, atMs: 70_000 } },
    { stream, now: () => nowMs },
  );
  nowMs += 4_000;
  progress.update(644);
  progress.end();
  t.regex(render(text())[0] ?? '', /644\/700 steps {2}92 % {2}1\.0 steps\/s {2}0:56 left$/);
});

test('what is told late has the rate of the time at which it was so', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const text = collect(stream);
  let nowMs = 0;
  // The clock of a run that began elsewhere, an hour ago.
  const begunAtMs = 1_700_000_000_000;
  const progress = createProgress(
    { title: 'training', unit: 'steps', total: 400, begun: { done: 1, atMs: begunAtMs } },
    { stream, now: () => nowMs },
  );
  // All of it comes at once.
  for (let done = 2; done <= 301; done += 1) {
    progress.update(done, undefined, begunAtMs + 2_000 * (done - 1));
  }
  // The step that goes on, for as long as the steps before it took.
  nowMs += 2_000;
  progress.end();
  t.regex(render(text())[0] ?? '', /301\/400 steps {2}75 % {2}0\.48 steps\/s {2}3:2\d left$/);
});

test('steps of more than a minute have a rate', (t) => {
  const stream = new PassThrough();
  const text = collect(stream);
  let nowMs = 0;
  const progress = createProgress(
    { title: 'training', unit: 'steps', total: 4 },
    { stream, now: () => nowMs },
  );
  for (const done of [1, 2, 3]) {
    nowMs += 100_000;
    progress.update(done);
  }
  progress.end();
  t.is(text().split('\n')[1], 'training: 2/4 steps  50 %  0.01 steps/s  3:20 left');
});

test('where there is no terminal, no control code is written', (t) => {
  const stream = new PassThrough();
  const text = collect(stream);
  let nowMs = 0;
  const progress = createProgress(
    { title: 'training', unit: 'frames', total: 3 },
    { stream, now: () => nowMs },
  );
  nowMs = 11_000;
  progress.update(1);
  progress.above('epoch 1');
  progress.end();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control codes are what must not come
  t.notRegex(text(), /[\u0000-\u0009\u000b-\u001f\u007f]/);
  t.regex(text(), /epoch 1\n/);
});

test('on a terminal, the bar is drawn with rate and time left and fits its width', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
  const text = collect(stream);
  let nowMs = 0;
  const progress = createProgress(
    { title: 'training', unit: 'frames', total: 100 },
    { stream, now: () => nowMs },
  );
  nowMs = 10_000;
  progress.update(50, 'a remark that is much longer than what is left of the line');
  progress.end();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own codes are taken out
  const lines = text().split(/\r|\n|\u001b\[[0-9;?]*[A-Za-z]/);
  t.true(lines.some((line) => /50\/100 frames {2}50 % {2}5\.0 frames\/s {2}0:10 left/.test(line)));
  t.true(lines.every((line) => line.length < 60));
});

test('a line above the bar has a line of its own, and the bar goes on below it', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const text = collect(stream);
  const progress = createProgress({ title: 'training', unit: 'frames', total: 10 }, { stream });
  progress.update(1);
  progress.above('epoch 1 done');
  progress.update(2);
  progress.end();
  const screen = render(text());
  t.is(screen[0], 'epoch 1 done');
  t.regex(screen[1] ?? '', /^training \[.*\] 2\/10 frames/);
  t.deepEqual(screen.slice(2), ['']);
});

test('what does not fit is left out part by part, never cut within one', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
  const text = collect(stream);
  let nowMs = 0;
  const progress = createProgress(
    { title: 'training', unit: 'steps', total: 100 },
    { stream, now: () => nowMs },
  );
  nowMs = 10_000;
  progress.update(50, 'epoch 1/2  68.6 frames/s');
  progress.end();
  t.is(render(text())[0], 'training 50/100 steps  50 %  5.0 steps/s  0:10 left');
});

test('a terminal that says it has no columns is taken for one of 80', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 0 });
  const text = collect(stream);
  let nowMs = 0;
  const progress = createProgress(
    { title: 'loading', unit: 'frames', total: 100 },
    { stream, now: () => nowMs },
  );
  nowMs = 10_000;
  progress.update(50);
  progress.end();
  t.is(
    render(text())[0],
    'loading [============            ] 50/100 frames  50 %  5.0 frames/s  0:10 left',
  );
});

test('a line above the bar that is too long for the terminal goes on in the next, indented', (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 48 });
  const text = collect(stream);
  const progress = createProgress({ title: 'training', unit: 'frames', total: 10 }, { stream });
  progress.update(1);
  progress.above('epoch 1/2  loss 0.5000  validation loss 0.2500  macro F1 0.1250  best');
  progress.end();
  t.deepEqual(render(text()).slice(0, 2), [
    'epoch 1/2  loss 0.5000  validation loss 0.2500',
    '  macro F1 0.1250  best',
  ]);
});

/** What a terminal shows after the codes that a bar uses: line feeds, returns, moves and clearings. */
function render(text: string): string[] {
  const screen: string[] = [''];
  let [row, column] = [0, 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is read here
  const code = /\u001b\[(\d*)(?:;\d*)?([A-Za-z])|\u001b\[\?\d+[hl]|\u001b[78]|[\s\S]/gu;
  for (const [whole, count, letter] of text.matchAll(code)) {
    if (whole === '\u001b7' || whole === '\u001b8')
      throw new Error('a place on the screen is kept');
    if (whole === '\n') {
      row += 1;
      column = 0;
      screen[row] ??= '';
    } else if (whole === '\r' || letter === 'G') column = 0;
    else if (letter === 'A') row -= Number(count || 1);
    else if (letter === 'K') {
      screen[row] = count === '2' ? '' : (screen[row] ?? '').slice(0, column);
    } else if (letter === 'J') screen.length = row + 1;
    else if (!whole.startsWith('\u001b')) {
      const line = (screen[row] ?? '').padEnd(column);
      screen[row] = line.slice(0, column) + whole + line.slice(column + whole.length);
      column += whole.length;
    }
  }
  return screen;
}

test('a bar tells that it has ended, once', (t) => {
  let ends = 0;
  const progress = createProgress(
    { title: 'training', unit: 'frames', total: 10 },
    { stream: new PassThrough(), onEnd: () => (ends += 1) },
  );
  progress.end();
  progress.end();
  t.is(ends, 1);
});

test('a total that is not known yet shows the count alone', (t) => {
  const state = { unit: 'frames', total: 0, done: 7, remark: '', perSecond: 7 };
  t.deepEqual(progressParts(state), ['7 frames', '7.0 frames/s']);
});

test('durations read as clocks', (t) => {
  t.deepEqual([0, 59.6, 725, 12_000].map(formatDuration), ['0:00', '1:00', '12:05', '3:20:00']);
});
