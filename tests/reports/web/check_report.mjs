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
import {opens} from './opens.mjs';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
const file = join(folder, 'report.html');
const SCHEDULES = ['1F1B', 'ZB1P', 'DualPipe'];

const browser = new Browser();
try {
  execFileSync(
    resolve(process.argv[2]),
    ['compare', 'experiments/deepseek_v3_h800.yaml', '--schedules', '1f1b,zb1p,dualpipe', '--html', file],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  for (const width of [1440, 600])
    for (const dark of [false, true])
      await opens(browser, `${width} px, ${dark ? 'dark' : 'light'}`, {file, labels: SCHEDULES}, {width, dark});
  const bytes = statSync(file).size;
  check('the report is small enough to mail', bytes < 8e6, `${(bytes / 1e6).toFixed(1)} MB`);
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('report');
