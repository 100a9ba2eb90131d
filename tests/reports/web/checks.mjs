// Counts checks: a line each on stdout, and a test case each in $XML_OUTPUT_FILE.

import {writeFileSync} from 'node:fs';

const done = [];

export function check(name, holds, detail = '') {
  done.push({name, holds, detail: String(detail)});
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${name}${detail === '' ? '' : ': ' + detail}`);
}

const escape = (text) =>
  text
    .replace(/[^\x20-\x7e]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;');

// Call it last: exits 1 where a check failed, or where there was none.
export function finish(suite) {
  const failures = done.filter((c) => !c.holds).length;
  const cases = done.map(({name, holds, detail}) => {
    const failure = holds ? '' : `<failure message="${escape(detail || 'does not hold')}"/>`;
    return `<testcase classname="${suite}" name="${escape(name)}">${failure}</testcase>\n`;
  });
  if (process.env.XML_OUTPUT_FILE)
    writeFileSync(
      process.env.XML_OUTPUT_FILE,
      `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites><testsuite name="${suite}" ` +
        `tests="${done.length}" failures="${failures}">\n${cases.join('')}</testsuite></testsuites>\n`,
    );
  process.exit(failures || !done.length ? 1 : 0);
}
