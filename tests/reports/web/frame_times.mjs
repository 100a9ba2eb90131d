// How long the timeline takes to draw a frame, of pages with 100 thousand and with a million operations, while it
// is zoomed and panned in a headless browser. To be read, not to pass: other load on the machine counts in.
//
//   node frame_times.mjs [MICRO_BATCHES...]        (CHROMIUM names the browser, PAGE the page's template)
//
// CPU: performance.now() around all that draws, once a frame. Interval: between two frames.

import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {loadavg, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Browser} from './browser.mjs';
import {assemble} from './build_page.mjs';

const here = dirname(fileURLToPath(import.meta.url)),
  folder = mkdtempSync(join(tmpdir(), 'frames-')),
  browser = new Browser();

// Frames of one movement: window(share) is called with 0 to 1.
const MEASURE = `async (window) => {
  const cpu = [], between = [], count = 90, draw = gantt.draw.bind(gantt);
  gantt.draw = () => { const began = performance.now(); draw(); gantt.canvas.getContext('2d').getImageData(0, 0, 1, 1);
                       cpu.push(performance.now() - began); };
  gantt.redraw = frameThrottle(() => gantt.draw());
  let last = 0;
  for (let i = 0; i < count; i++) {
    window(i / (count - 1));
    const now = await new Promise(requestAnimationFrame);
    if (last) between.push(now - last);
    last = now;
  }
  gantt.draw = draw;
  const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(share * (list.length - 1))];
  return [cpu, between].map((list) => [0.5, 0.95, 1].map((q) => at(list, q).toFixed(1)).join(' / ')).join('   |   ');
}`;

const MOVES = {
  'pan, whole rows': '(x) => setWindow(x * 0.5 * fullEnd, (x * 0.5 + 0.5) * fullEnd)',
  'zoom in to an action':
    '(x) => { const w = fullEnd * 0.0002 ** x, m = fullEnd * 0.4; setWindow(m - w / 2, m + w / 2); }',
  'pan, lanes open': '(x) => { const w = fullEnd / 40, f = (0.3 + 0.2 * x) * fullEnd; setWindow(f, f + w); }',
};

try {
  const sizes = process.argv.slice(2).length ? process.argv.slice(2) : ['120', '1200'];
  for (const size of sizes) {
    const mock = execFileSync('node', [join(here, 'make_mock.mjs'), '--micro-batches', size], {maxBuffer: 2 ** 30});
    const file = join(folder, size + '.html');
    writeFileSync(file, assemble(mock.toString()));
    const began = Date.now(),
      state = await browser.open('file://' + file, {width: 1600, height: 1000, still: false});
    const operations = await browser.evaluate(
      'report.results.reduce((n, r) => n + r.actions.shape.reduce((m, s) => m + (s >= 0 ? r.shapes[s].count : 0), 0), 0)',
    );
    console.log(`${operations} operations: ${state} after ${((Date.now() - began) / 1e3).toFixed(1)} s; load ${loadavg()[0].toFixed(1)}`);
    await browser.evaluate('byId("timeline").scrollIntoView()');
    for (const [name, move] of Object.entries(MOVES))
      console.log(`  ${name.padEnd(22)} ms, median / 95 % / most: CPU, interval   ${await browser.evaluate(`(${MEASURE})(${move})`)}`);
  }
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
