// Opens the report that the binary writes for DeepSeek-V3 in a real browser, on a wide and a narrow
// screen, light and dark: it draws itself, complains of nothing and asks the network for nothing.
//
//   node check_report.mjs PIPESCOPE        (CHROMIUM names the browser, default "chromium")

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
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
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('report');
