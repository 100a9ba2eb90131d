// Assembles the report page from its template as the C++ writer does, to look at it or test it.
//
//   node build_page.mjs DATA.json OUT.html

import {readFileSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

// The page but for title and data, as the build made it.
const template = readFileSync(process.env.PAGE || 'reports/page.html', 'utf8');

export function assemble(data) {
  const {title, verdict} = JSON.parse(data),
    escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const parts = {
    TITLE: escaped(title),
    VERDICT: escaped(verdict),
    DATA: data.replaceAll('<', '\\u003c'),
  };
  return template.replace(/@@(TITLE|VERDICT|STATIC|DATA)@@/g, (_, name) => parts[name]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , dataFile, outFile] = process.argv;
  writeFileSync(outFile, assemble(readFileSync(dataFile, 'utf8')));
}
