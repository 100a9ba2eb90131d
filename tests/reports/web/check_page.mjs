// Opens the report in a real browser with ordinary and with pathological data and acts in it like a reader.
// Prints one line a check and counts it; exits 1 if any failed.
//
//   node check_page.mjs            (CHROMIUM names the browser, default "chromium")

import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Browser} from './browser.mjs';
import {assemble} from './build_page.mjs';
import {check, finish} from './checks.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pages-'));
const browser = new Browser();
function page(name, args, change = (d) => d) {
  const text = execFileSync('node', [join(here, 'make_mock.mjs'), ...args], {maxBuffer: 2 ** 28}).toString();
  const file = join(folder, name + '.html');
  writeFileSync(file, assemble(JSON.stringify(change(JSON.parse(text)))));
  return 'file://' + file;
}

const settle = () =>
  browser.evaluate(
    'new Promise((f) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(f)), 60))',
  );
const value = (expression) => browser.evaluate(expression);

async function opens(name, url, options) {
  const state = await browser.open(url, options);
  check(`${name} renders`, state === 'ok', state);
  const said = browser.messages.splice(0);
  check(`${name} is silent on the console`, said.length === 0, said.join(' | '));
  const wide = await value('document.documentElement.scrollWidth - innerWidth');
  check(`${name} does not scroll sideways`, wide <= 0, wide);
}

// A point inside an action, in client coordinates.
const pointOn = (result, action, share = 0.25) =>
  value(`(() => {
  const a = report.results[${result}].actions, s = gantt.layout.sections[${result}];
  const box = gantt.canvas.getBoundingClientRect();
  return {x: box.left + timeToX(gantt.layout, a.start[${action}] + a.dur[${action}] / 2),
          y: box.top - gantt.scroll.scrollTop + rowTop(s, a.rank[${action}]) + s.bar * ${share}};
})()`);

async function interactions(url) {
  await opens('comparison', url, {width: 1440, height: 1100});
  await value('byId("timeline").scrollIntoView()');
  await settle();
  await value('setWindow(1000e6, 1200e6)');
  await settle();
  const target = await value('nearestAction(report.results[0], 3, 1100e6)');
  let p = await pointOn(0, target);
  await browser.mouse('mouseMoved', p.x, p.y);
  await settle();
  check(
    'hover shows the action',
    /micro-batch \d+ on stage 3/.test(
      await value('byId("tooltip").hidden ? "" : byId("tooltip").textContent'),
    ),
  );
  await browser.click(p.x, p.y);
  await settle();
  check('click selects it', (await value('state.selection && state.selection.action')) === target);
  check('the panel describes it', /In flight/.test(await value('byId("details").textContent')));
  await value('new Promise((f) => setTimeout(f, 260))');
  check(
    'the hash keeps it',
    (await value('location.hash')).includes(`sel=0.${target}.0`),
    await value('location.hash'),
  );
  await browser.key('ArrowRight');
  check('arrow moves along the rank', (await value('state.selection.action')) === target + 1);
  await browser.key('w');
  await settle();
  check('key zooms', (await value('state.end - state.start')) < 190e6);
  const width = await value('state.end - state.start');
  await browser.send('Input.dispatchMouseEvent', {
    type: 'mouseWheel',
    x: p.x,
    y: p.y,
    deltaX: 0,
    deltaY: -240,
  });
  await settle();
  check('wheel zooms after a click', (await value('state.end - state.start')) < width);
  const from = await value('state.start');
  await browser.mouse('mousePressed', p.x, p.y);
  await browser.mouse('mouseMoved', p.x - 120, p.y, {buttons: 1});
  await browser.mouse('mouseReleased', p.x - 120, p.y);
  check('drag pans', (await value('state.start')) > from);
  await browser.mouse('mousePressed', p.x, p.y, {modifiers: 8});
  await browser.mouse('mouseMoved', p.x + 150, p.y, {buttons: 1, modifiers: 8});
  await browser.mouse('mouseReleased', p.x + 150, p.y, {modifiers: 8});
  await settle();
  check('shift and drag sums a range', /Bubble share/.test(await value('byId("details").textContent')));
  await browser.key('Escape');
  check('escape clears', await value('state.range === null && state.selection === null'));
  for (const id of [
    'zoom-fit',
    'jump-warm',
    'jump-drain',
    'show-critical',
    'show-messages',
    'show-gaps',
    'jump-steady',
    'theme',
  ])
    await value(`byId("${id}").click()`);
  await settle();
  check(
    'buttons work',
    await value('state.critical && state.messages && state.gaps && state.start > 0 && state.end < fullEnd'),
  );
  check('theme switches', (await value('document.documentElement.dataset.theme')) === 'dark');
  await value('document.querySelector("#bubble-bars button").click()');
  check('a cause shows its gaps', await value('state.gaps && state.cause >= 0'));
  const pair = await value(`report.results[2].actions.kind.findIndex((k, i) => k === 4 && i > 200)`);
  await value(
    `setState({gaps: false, critical: false, messages: false, cause: -1}); gantt.select(2, ${pair}); gantt.zoomToSelection()`,
  );
  await settle();
  p = await pointOn(2, pair, 0.75);
  await browser.click(p.x, p.y);
  check(
    'the lower half of a pair selects its backward',
    await value(`state.selection && state.selection.action === ${pair} && state.selection.backward`),
  );
  check(
    'nothing was logged meanwhile',
    browser.messages.length === 0,
    browser.messages.splice(0).join(' | '),
  );
}

// Text on every fill, plain and faded, and on every surface, in both themes.
async function contrast(url, dark) {
  await browser.open(url, {dark});
  const weak = await value(`(() => {
    const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
    const pairs = palette.fill.map((c, i) => [FILL_VARS[i], palette.ink[i], c]);
    palette.faded.forEach((c, i) => pairs.push(['faded ' + FILL_VARS[i], palette.muted, c]));
    for (const text of ['text', 'muted', 'accent', 'alarm', 'limit']) for (const under of ['bg', 'surface', 'raised']) pairs.push([text + ' on ' + under, palette.get(text), palette.get(under)]);
    pairs.push(['text on accent-soft', palette.get('text'), palette.get('accent-soft')], ['text on bubble', palette.get('text'), palette.get('bubble')], ['badge', palette.get('bg'), palette.get('accent')]);
    return pairs.filter((p) => ratio(p[1], p[2]) < 4.5).map((p) => p[0] + ' ' + ratio(p[1], p[2]).toFixed(2));
  })()`);
  check(`text has a contrast of 4.5 or more, ${dark ? 'dark' : 'light'}`, weak.length === 0, weak.join(', '));
}

// All operations of three schedules visible at once, each frame at another place.
async function frames(url) {
  await browser.open(url + '#lanes=on', {width: 1920, height: 1000});
  const measure = (schedules, full, tall = true) =>
    value(`(async () => {
    report.results.length = Math.min(report.results.length, ${schedules});
    report.best = 0; gantt.layout = null;
    gantt.scroll.style.maxHeight = ${tall} ? 'none' : '';
    await new Promise((f) => setTimeout(f, 200));
    gantt.painter.forceFull = ${full};
    const paint = [];
    for (let i = 0; i < 40; i++) {
      state.start = i * 1e5; state.end = fullEnd - i * 1e5;
      const began = performance.now();
      gantt.draw();
      paint.push(performance.now() - began);
      await new Promise((f) => requestAnimationFrame(f));
    }
    const mid = (list) => list.slice(5).sort((a, b) => a - b)[17];
    let visible = 0;
    for (const r of report.results) for (const s of r.actions.shape) visible += r.shapes[s].count;
    return {paint: mid(paint), worst: Math.max(...paint.slice(5)), rects: gantt.painter.rects.total, visible, height: gantt.canvas.clientHeight};
  })()`);
  const say = (f) =>
    `${f.visible} operations in view, median ${f.paint.toFixed(1)} ms, worst ${f.worst.toFixed(1)} ms, ` +
    `${f.rects} rectangles, canvas ${f.height} px high`;
  console.log('info   three schedules in the window of a screen: ' + say(await measure(3, false, false)));
  console.log(
    'info   three schedules, every lane of every rank on one canvas: ' + say(await measure(3, false)),
  );
  const one = await measure(1, false);
  // Its time is printed: it depends on what else the machine does. What keeps it short does not.
  check('a frame of 100 k operations merges them into blocks', one.rects < one.visible / 4 && one.visible > 100e3, say(one));
  console.log('info   the same without merging into blocks: ' + say(await measure(1, true)));
}

function emptied(data) {
  for (const r of data.results) {
    const t = r.timeline;
    for (const part of ['actions', 'messages', 'step_ops', 'gaps', 'critical_path']) {
      for (const [k, list] of Object.entries(t[part])) if (k !== 'names') list.length = 0;
    }
    t.shapes = [];
    t.memory = {rank: [], time_ns: [], bytes: []};
    r.attribution = [];
  }
  data.assumptions = [];
  data.highlights = [];
  return data;
}

try {
  const v3 = page('v3', []);
  await interactions(v3);
  for (const width of [600, 1920]) await opens(`comparison at ${width} px`, v3, {width, height: 1000});
  await opens(
    'one rank, dark',
    page('one', ['--ranks', '1', '--schedules', 'solo', '--micro-batches', '4']),
    {dark: true},
  );
  check(
    'a zero bubble is said in words',
    (await value('byId("bubble-bars").textContent')).includes('no bubble'),
  );
  await opens(
    'one result',
    page('single', ['--ranks', '8', '--micro-batches', '40', '--schedules', 'dualpipe']),
    {},
  );
  await opens('64 ranks', page('big', ['--ranks', '64', '--micro-batches', '160']), {});
  for (const width of [600, 1440])
    await opens(
      `hostile names at ${width} px`,
      page('hostile', ['--ranks', '4', '--micro-batches', '12', '--hostile']),
      {width},
    );
  check(
    'no markup came out of the data',
    (await value('document.images.length')) === 0 && (await value('document.title')).startsWith('DeepSeek'),
  );
  await opens(
    'an empty timeline',
    page('empty', ['--ranks', '2', '--micro-batches', '4', '--schedules', '1f1b'], emptied),
    {},
  );
  const bad = await browser.open(
    page('bad', ['--ranks', '1', '--schedules', 'solo', '--micro-batches', '2'], (d) => ({
      ...d,
      format: 'other/9',
    })),
    {},
  );
  check('a foreign format is refused in words', bad.startsWith('error: data format'), bad);
  browser.messages.splice(0);
  await contrast(v3, false);
  await contrast(v3, true);
  await frames(page('frames', ['--micro-batches', '144']));
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('page');
