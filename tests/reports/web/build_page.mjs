// Assembles the report page from its template as the C++ writer does, to look at it or test it.
//
//   node build_page.mjs DATA.json OUT.html

import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const web = join(dirname(fileURLToPath(import.meta.url)), '../../../reports/web');
const read = (name) => readFileSync(join(web, name), 'utf8');

// One list of scripts for everyone: report.order names them one a line.
export function assemble(data) {
  const scripts = read('report.order')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  const title = JSON.parse(data).title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const parts = {
    STYLE: read('report.css'),
    SCRIPT: scripts.map(read).join('\n'),
    TITLE: title,
    DATA: data.replaceAll('<', '\\u003c'),
  };
  return read('report.html').replace(/@@(STYLE|SCRIPT|TITLE|DATA)@@/g, (_, name) => parts[name]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , dataFile, outFile] = process.argv;
  writeFileSync(outFile, assemble(readFileSync(dataFile, 'utf8')));
}
