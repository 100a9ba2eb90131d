// Opens the report that the binary writes for DeepSeek-V3 in a real browser, on a wide and a narrow
// screen, light and dark: it draws itself, complains of nothing and asks the network for nothing.
//
//   node check_report.mjs PIPESCOPE        (CHROMIUM names the browser, default "chromium")

import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {Browser} from './browser.mjs';
import {check, finish} from './checks.mjs';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
const file = join(folder, 'report.html');
const SCHEDULES = ['1F1B', 'ZB1P', 'DualPipe'];

async function opens(browser, name, options) {
  browser.requests.length = browser.messages.length = 0;
  const state = await browser.open('file://' + file, options);
  check(`${name}: draws itself`, state === 'ok', state);
  check(`${name}: nothing on the console`, browser.messages.length === 0, browser.messages.join(' | '));
  const outside = browser.requests.filter((url) => url !== 'file://' + file && !/^(about|data):/.test(url));
  check(`${name}: no request`, browser.requests.length > 0 && outside.length === 0, outside.join(' '));
  const wide = await browser.evaluate('document.documentElement.scrollWidth - innerWidth');
  check(`${name}: does not scroll sideways`, wide <= 0, wide > 0 ? `${wide} px too wide` : '');
  const text = await browser.evaluate('document.body.innerText');
  const absent = SCHEDULES.filter((s) => !text.includes(s));
  check(`${name}: names every schedule`, absent.length === 0, absent.join(', '));
  check(`${name}: no NaN or undefined`, !/\b(NaN|undefined|Infinity)\b/.test(text));
  const background = await browser.evaluate('getComputedStyle(document.body).backgroundColor');
  const [red] = background.match(/\d+/g).map(Number);
  check(`${name}: ${options.dark ? 'dark' : 'light'}`, options.dark ? red < 80 : red > 175, background);
  const drawn = await browser.evaluate(`(() => {
    const c = byId('gantt-canvas'), p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    const colours = new Set();
    for (let i = 0; i < p.length; i += 4000) colours.add(p[i] + ',' + p[i + 1] + ',' + p[i + 2]);
    return colours.size;
  })()`);
  check(`${name}: the timeline has colours`, drawn >= 4, `${drawn} colours`);
}

const browser = new Browser();
try {
  execFileSync(
    resolve(process.argv[2]),
    ['compare', 'experiments/deepseek_v3_h800.yaml', '--schedules', '1f1b,zb1p,dualpipe', '--html', file],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  for (const width of [1440, 600])
    for (const dark of [false, true])
      await opens(browser, `${width} px, ${dark ? 'dark' : 'light'}`, {width, dark});
  const bytes = statSync(file).size;
  check('the report is small enough to mail', bytes < 8e6, `${(bytes / 1e6).toFixed(1)} MB`);
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('report');
