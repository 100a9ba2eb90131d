// Opens the pages that sweep and plan write in a real browser: they draw themselves, answer clicks and keys, keep
// what was chosen in their address, and say everything without a script too.
//
//   node check_points.mjs PIPESCOPE        (CHROMIUM names the browser, default "chromium")

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {Browser} from './browser.mjs';
import {check, finish} from './checks.mjs';

const folder = mkdtempSync(join(tmpdir(), 'points-'));
const sweep = join(folder, 'sweep.html'),
  plan = join(folder, 'plan.html'),
  line = join(folder, 'line.html'),
  hostile = join(folder, 'hostile.html');
const EXPERIMENT = 'experiments/deepseek_v3_h800.yaml';
const pipescope = (...args) =>
  execFileSync(resolve(process.argv[2]), args, {stdio: ['ignore', 'ignore', 'inherit']});

const browser = new Browser();
const value = (expression) => browser.evaluate(expression);
const settle = () =>
  value('new Promise((f) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(f)), 60))');

async function opens(name, file, options = {}, hash = '') {
  browser.requests.length = browser.messages.length = 0;
  const url = 'file://' + file,
    state = await browser.open(url + hash, options);
  check(`${name}: draws itself`, state === 'ok', state);
  check(`${name}: nothing on the console`, browser.messages.length === 0, browser.messages.join(' | '));
  const outside = browser.requests.filter((r) => r.split('#')[0] !== url && !/^(about|data):/.test(r));
  check(`${name}: no request`, browser.requests.length > 0 && outside.length === 0, outside.join(' '));
  const wide = await value('document.documentElement.scrollWidth - innerWidth');
  check(`${name}: does not scroll sideways`, wide <= 0, wide);
  const text = await value('document.body.innerText');
  check(`${name}: no NaN or undefined`, !/\b(NaN|undefined|Infinity)\b/.test(text));
  const [red] = (await value('getComputedStyle(document.body).backgroundColor')).match(/\d+/g).map(Number);
  check(`${name}: ${options.dark ? 'dark' : 'light'}`, options.dark ? red < 80 : red > 175);
}

const press = (selector) => value(`document.querySelector(${JSON.stringify(selector)}).click()`).then(settle);
async function choose(id, text) {
  await value(`(() => { const s = byId('${id}'); s.value = [...s.options].find((o) => o.text === '${text}').value; s.onchange({target: s}); })()`);
  await settle();
}

async function sweepAnswers() {
  await opens('sweep', sweep);
  const cells = await value("[...document.querySelectorAll('.map .cell')].map((c) => c.innerText)");
  check('a cell for each pair of values', cells.length === 9, cells.length);
  check('of which the refused say so', cells.filter((c) => c === 'refused').length === 3);
  check('and one is the best', cells.filter((c) => /best/.test(c)).length === 1);
  await press('.heat.refused');
  check('a refused point says why', /does not divide data/.test(await value("byId('details').innerText")));
  check('with reasons below', /does not divide data/.test(await value("byId('refused').innerText")));
  await choose('figure', 'Peak memory');
  check('another figure', /GiB/.test(await value("document.querySelector('.map .cell').innerText")));
  await choose('y-field', 'schedule');
  await choose('x-field', 'parallel.expert');
  check('another pair of fields', (await value("document.querySelectorAll('.map .cell').length")) === 6);
  check('what does not fit is marked', (await value("document.querySelectorAll('.heat.over').length")) > 0);
  await press('#view-lines');
  check('a line for each schedule', (await value("document.querySelectorAll('#map-body path.line').length")) === 2);
  await choose('figure', 'Step time');
  await value("document.querySelector('#fixed select').value = '0'; document.querySelector('#fixed select').onchange({target: document.querySelector('#fixed select')})");
  await settle();
  await value('new Promise((f) => setTimeout(f, 300))');
  const hash = await value('location.hash');
  check('the address keeps it', /view=lines/.test(hash) && /fixed=/.test(hash) && /selected=/.test(hash), hash);
  await opens('sweep again', sweep, {}, hash);
  check('and brings it back', await value("state.view === 'lines' && state.fixed === '0:0' && state.selected >= 0"));
  await opens('foreign address', sweep, {}, '#figure=99&x=-3&y=77&sort=<b>&fixed=9:9,a&selected=1e9&view=map');
}

async function marksAnswer() {
  await opens('front', sweep);
  const front = await value("document.querySelectorAll('#front-body path.mark.front, #front-body path.mark.best').length");
  check('the front is drawn', front === (await value('report.points.filter((p) => p.front).length')) && front > 1, front);
  const box = await value("(() => { const m = document.querySelector('#front-body path.mark.plain, #front-body path.mark.over'); m.scrollIntoView({block: 'center'}); const b = m.getBoundingClientRect(); return {x: b.x + b.width / 2, y: b.y + b.height / 2}; })()");
  await settle();
  await browser.mouse('mouseMoved', box.x, box.y);
  check('hover tells the point', /Step time/.test(await value("byId('tooltip').hidden ? '' : byId('tooltip').innerText")));
  await value("document.querySelector('#front-body path.mark').focus()");
  await browser.key('Enter');
  await settle();
  check('a key chooses it', await value('state.selected >= 0'));
  check('the command makes it', /^pipescope simulate .* --set communication.sms=/.test(await value("byId('point-command').innerText")));
}

async function tableSorts() {
  const first = () => value("document.querySelector('#points-table tbody tr').innerText");
  const head = (name) =>
    value(`[...document.querySelectorAll('#points-table th button')].find((b) => b.textContent.startsWith('${name}')).click()`).then(settle);
  await head('MFU');
  const up = await first();
  await head('MFU');
  check('a column sorts both ways', up !== (await first()) && (await value("document.querySelector('th[aria-sort]').getAttribute('aria-sort')")) === 'descending');
  const last = await value("[...document.querySelectorAll('#points-table tbody tr')].at(-1).innerText");
  check('refused points stay last', /refused/.test(last), last);
  const saved = await value(`(async () => {
    const caught = [], make = URL.createObjectURL;
    URL.createObjectURL = (blob) => (caught.push(blob), make(blob));
    HTMLAnchorElement.prototype.click = () => {};
    byId('save-csv').click();
    return (await caught[0].text()).split('\\r\\n').length - 2;
  })()`);
  check('a line of CSV for each point', saved === (await value('report.points.length')), saved);
}

async function planAnswers() {
  for (const width of [360, 1280, 1920])
    for (const dark of [false, true]) await opens(`plan at ${width} px`, plan, {width, dark});
  check('says why the first wins', /To be second costs/.test(await value("byId('why').innerText")));
  check('says what was left out', /Left out by bounds/.test(await value("byId('pruned').innerText")));
  check('has no heatmap', await value("byId('map').hidden"));
  check('lists plans', (await value("document.querySelectorAll('#points-table tbody tr').length")) >= 3);
}

// Without a script: no empty chart, and the figures as tables.
async function withoutScript() {
  await browser.send('Emulation.setScriptExecutionDisabled', {value: true});
  for (const [name, file, words] of [
    ['sweep', sweep, ['Fastest:', 'does not divide', 'communication.sms']],
    ['plan', plan, ['is the fastest plan', 'To be second costs', 'Left out by bounds']],
  ]) {
    await browser.send('Page.navigate', {url: 'file://' + file});
    await new Promise((f) => setTimeout(f, 800));
    const text = await value('document.body.innerText');
    const absent = words.filter((w) => !text.includes(w));
    check(`${name} without a script has its figures`, absent.length === 0, absent.join(', '));
    check(`${name} without a script has no empty section`, (await value("[...document.querySelectorAll('main > section')].every((s) => getComputedStyle(s).display === 'none')")) === true);
  }
  await browser.send('Emulation.setScriptExecutionDisabled', {value: false});
}

// Every text of the data is markup and longer than any line.
async function staysText() {
  const evil = '<img src=x onerror=document.title=1> "&\' ' + 'wordwithoutend'.repeat(6);
  const swapped = (v) =>
    typeof v === 'string' ? evil : Array.isArray(v) ? v.map(swapped) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, swapped(x)])) : v;
  await browser.open('file://' + sweep, {});
  const data = JSON.parse(await value("readData(byId('data').textContent).then(JSON.stringify)"));
  const dirty = {...swapped(data), format: data.format, kind: data.kind};
  dirty.points.values = data.points.values.map((list) => list.map((v) => v + evil));
  const text = JSON.stringify(dirty).replaceAll('<', '\\u003c');
  writeFileSync(hostile, readFileSync(sweep, 'utf8').replace(/(id="data">)[^<]*/, () => 'id="data">' + text));
  for (const width of [360, 1280]) await opens(`hostile names at ${width} px`, hostile, {width});
  await press('#view-lines');
  await value('setState({selected: 1})');
  await settle();
  check('no markup came out of the data', (await value('document.images.length')) === 0 && (await value('document.title')) !== '1');
}

try {
  const grid = ['--grid', 'communication.sms=8,16,20', '--grid', 'parallel.expert=32,64,96', '--schedules', '1f1b,zb1p'];
  pipescope('sweep', EXPERIMENT, ...grid, '--html', sweep);
  pipescope('sweep', EXPERIMENT, '--grid', 'communication.sms=8,16,24', '--html', line);
  pipescope('plan', EXPERIMENT, '--schedules', '1f1b,dualpipe', '--sms', '20', '--micro-batch', '1', '--html', plan);
  for (const width of [360, 1280, 1920])
    for (const dark of [false, true]) await opens(`sweep at ${width} px`, sweep, {width, dark});
  await opens('one field', line);
  check('is a line', (await value("document.querySelectorAll('#map-body path.mark').length")) === 3);
  await sweepAnswers();
  await marksAnswer();
  await tableSorts();
  await planAnswers();
  await staysText();
  await withoutScript();
  check('a page is small', statSync(plan).size < 200e3, statSync(plan).size);
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('points');
