// Opens the report that the binary writes for DeepSeek-V3 in a real browser, on a wide and a narrow
// screen, light and dark: it draws itself, complains of nothing and asks the network for nothing.
//
//   node check_report.mjs PIPESCOPE        (CHROMIUM names the browser, default "chromium")

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {Browser} from './browser.mjs';
import {check, finish} from './checks.mjs';
import {opens} from './opens.mjs';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
const file = join(folder, 'report.html'),
  stored = join(folder, 'result.json'),
  again = join(folder, 'again.html');
const pipescope = (...args) =>
  execFileSync(resolve(process.argv[2]), args, {stdio: ['ignore', 'ignore', 'inherit']});
const SCHEDULES = ['1F1B', 'ZB1P', 'DualPipe'];

const browser = new Browser();
const value = (expression) => browser.evaluate(expression);

// Dispatch stands on the network's and on NVLink's lane; the heatmap answers the pointer.
async function seesLinks() {
  await browser.open('file://' + file, {});
  const lanes = await value('report.results[2].lanes.map((l) => report.results[2].laneNames[l]).join()');
  check('lanes by medium', lanes === 'compute,communication,network (NIC),NVLink,pipeline,gradient', lanes);
  const slack = await value('[...report.results[2].actions.slack].filter((s) => s === 0).length');
  check('some actions have no slack', slack > 0, slack);
  await value('byId("links").scrollIntoView()');
  const box = await value('(({x, y, width}) => ({x, y, width}))(byId("link-canvas-2").getBoundingClientRect())');
  await browser.mouse('mouseMoved', box.x + box.width * 0.3, box.y + 30);
  const tip = await value('byId("tooltip").hidden ? "" : byId("tooltip").textContent');
  check('a slice tells its share', /NIC out, rank 2.*\d+% of 40.00 GB\/s/.test(tip), tip);
  await value('byId("link-resource").value = "2"; byId("link-resource").onchange({target: byId("link-resource")})');
  await value('new Promise((f) => setTimeout(f, 400))');
  check('another resource is kept in the address', /resource=2/.test(await value('location.hash')));
  check('and named', /NVLink, 160.0 GB/.test(await value('byId("link-note-2").textContent')));
  const cells = await value('byId("traffic-maps").querySelectorAll("rect title").length');
  check('over NVLink ranks send to their own GPUs', cells === 3 * 16, cells);
  await value('byId("link-resource").value = "0"; byId("link-resource").onchange({target: byId("link-resource")})');
  await value('new Promise((f) => setTimeout(f, 400))');
  const sent = await value('[...byId("traffic-maps").querySelectorAll("title")].map((t) => t.textContent).join()');
  check('over the NIC to neighbours too', /rank 3 to rank 4: [\d.]+ \w+ a GPU/.test(sent), sent.slice(0, 200));
}

// The fabric: links answer a click with who uses them; those above the NIC only where flows ran over them.
async function seesFabric() {
  const settle = 'new Promise((f) => setTimeout(f, 400))';
  await browser.open('file://' + file, {});
  const click = (i) =>
    value(`document.querySelectorAll('#fabric-picture g.link')[${i}].dispatchEvent(new MouseEvent('click'))`).then(() => value(settle));
  await click(0);
  let users = await value("byId('fabric-users').innerText");
  check('NVLink tells its operations', /NVLink \d+\.\d%/.test(users) && /dispatch/.test(users), users.slice(0, 60));
  check('the chosen links are in the address', /link=0/.test(await value('location.hash')));
  await click(3);
  users = await value("byId('fabric-users').innerText");
  check('links that op does not simulate say so', /--fidelity flow/.test(users), users.slice(0, 80));
  pipescope('simulate', 'experiments/deepseek_v3_h800.yaml', '--fidelity', 'flow', '--html', again);
  for (const width of [360, 1920]) await opens(browser, `flow at ${width} px`, {file: again, labels: ['DualPipe']}, {width});
  await click(3);
  users = await value("byId('fabric-users').innerText");
  check('at flow they tell work and bytes', /leaf to spine \d+\.\d%.*dispatch.*TiB.*combine/s.test(users), users.slice(0, 80));
  const rows = await value("document.querySelectorAll('#fabric-times text.end').length");
  check('a row of time for each class of links', rows === 6, rows);
}

// Without a script the figures stand there as tables.
async function withoutScript() {
  await browser.send('Emulation.setScriptExecutionDisabled', {value: true});
  await browser.send('Page.navigate', {url: 'file://' + file});
  await new Promise((f) => setTimeout(f, 800));
  const text = await value('document.body.innerText');
  const absent = ['17.02 s', 'does not fit', 'warm-up', 'Memory by rank', 'Assumptions'].filter((s) => !text.includes(s));
  check('without a script the figures are there', absent.length === 0, absent.join(', '));
  await browser.send('Emulation.setScriptExecutionDisabled', {value: false});
}

// What the buttons would save, caught on its way to the disk.
async function takesAway() {
  await browser.open('file://' + file, {});
  const saved = await value(`(async () => {
    const caught = [], make = URL.createObjectURL;
    URL.createObjectURL = (blob) => (caught.push(blob), make(blob));
    HTMLAnchorElement.prototype.click = () => {};
    for (const id of ['save-csv', 'save-json', 'save-picture']) byId(id).click();
    await new Promise((f) => setTimeout(f, 500));
    const csv = (await caught[0].text()).split('\\r\\n');
    return {lines: csv.length - 2, last: csv.at(-2), format: JSON.parse(await caught[1].text()).format,
            picture: caught[2].type, actions: report.results.reduce((n, r) => n + r.actions.count, 0)};
  })()`);
  check('a line of CSV for each action', saved.lines === saved.actions && saved.lines > 5000, saved.lines);
  check('of the last rank at last', /^"DualPipe",15,"/.test(saved.last), saved.last);
  check('data and picture', saved.format === 'pipescope-report/1' && saved.picture === 'image/png');
  check('saving is allowed', browser.messages.length === 0, browser.messages.join(' | '));
}

// Against itself nothing changed; against one whose steps took twice as long, all got better by half.
async function seesChanges() {
  const data = JSON.parse(readFileSync(stored)).report,
    before = join(folder, 'before<img src=x onerror=alert(1)>.json');
  data.results[1].step_time_s *= 2;
  writeFileSync(before, JSON.stringify({report: data}));
  pipescope('report', stored, '--baseline', before, '-o', again);
  await opens(browser, 'with a baseline', {file: again, labels: SCHEDULES}, {width: 400});
  const rows = await value("[...document.querySelectorAll('#baseline-table tbody tr')].map((r) => r.innerText)");
  check('the largest change comes first', /^ZB1P.*▼ -50.00%/s.test(rows[0]), rows[0]);
  check('the others are the same', rows.length === 3 && /= same/.test(rows[1]) && !/[▲▼]/.test(rows[1]), rows[1]);
  check('a hostile name stays text', (await value('document.images.length')) === 0);
}

try {
  pipescope(
    ...['compare', 'experiments/deepseek_v3_h800.yaml', '--schedules', '1f1b,zb1p,dualpipe'],
    ...['--html', file, '--json', stored],
  );
  for (const width of [1440, 600])
    for (const dark of [false, true])
      await opens(browser, `${width} px, ${dark ? 'dark' : 'light'}`, {file, labels: SCHEDULES}, {width, dark});
  const bytes = statSync(file).size;
  check('three schedules of 2048 GPUs take less than 500 KB', bytes < 500e3, `${(bytes / 1e3).toFixed(0)} KB`);
  const shown = await browser.evaluate("readData(byId('data').textContent).then(JSON.stringify)");
  check('unpacked, the data is that of the JSON', shown === JSON.stringify(JSON.parse(readFileSync(stored)).report));
  pipescope('report', stored, '-o', again);
  check('a stored result makes the same page', readFileSync(again).equals(readFileSync(file)));
  await seesLinks();
  await withoutScript();
  await seesFabric();
  await seesChanges();
  await takesAway();
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('report');
