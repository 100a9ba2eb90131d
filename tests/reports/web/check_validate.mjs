// Opens the page that `validate` writes of real runs, as check_report.mjs does simulate's: every schedule
// predicted above measured, errors, and where the two part.
//
//   node check_validate.mjs PIPESCOPE        (CHROMIUM names the browser, default "chromium")

import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {Browser} from './browser.mjs';
import {check, finish} from './checks.mjs';
import {opens} from './opens.mjs';

const folder = mkdtempSync(join(tmpdir(), 'report-'));
const file = join(folder, 'report.html');
const labels = ['1F1B, predicted', '1F1B, measured', 'DualPipe, predicted', 'DualPipe, measured'];

const browser = new Browser();
try {
  execFileSync(
    resolve(process.argv[2]),
    ['validate', '--model', 'micro', '--schedules', '1f1b,dualpipe', '--repetitions', '1', '--html', file],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  for (const width of [1440, 600])
    for (const dark of [false, true])
      await opens(browser, `${width} px, ${dark ? 'dark' : 'light'}`, {file, labels}, {width, dark});
  const rows = await browser.evaluate("document.querySelectorAll('#validation-table tbody tr').length");
  check('a row for each schedule', rows === 2, `${rows}`);
  const marks = await browser.evaluate("document.querySelectorAll('#validation-scatter path.mark').length");
  const lines = await browser.evaluate("document.querySelectorAll('#validation-scatter path.exact, #validation-scatter path.band').length");
  check('a point for each schedule beside the diagonal and its bands', marks === 2 && lines === 5, `${marks}, ${lines}`);
  const outside = await browser.evaluate(`(() => {
    const plot = document.querySelector('#validation-scatter svg').getBoundingClientRect();
    const beyond = (node) => {
      const box = node.getBoundingClientRect();
      return box.left < plot.left - 1 || box.right > plot.right + 1;
    };
    return [...document.querySelectorAll('#validation-scatter svg *')].filter(beyond).length;
  })()`);
  check('all of the picture within it', outside === 0, `${outside}`);
  const why = await browser.evaluate("byId('validation-parts').innerText");
  check('says where they part', /rank [01], \d+[FB]/.test(why) || /OVERLAP/.test(why), why.slice(0, 80));
  check('says why', /(longer|less) than calibrated|waited|began/.test(why));
} finally {
  await browser.close();
  rmSync(folder, {recursive: true, force: true});
}
finish('validate');
