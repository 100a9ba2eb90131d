// What every page has: title, verdict, tiles, the command that makes it again, and what is said when it cannot
// be drawn.

function drawHeader() {
  const {raw} = report;
  byId('title').textContent = raw.title;
  byId('subtitle').textContent = raw.subtitle;
  byId('verdict').textContent = raw.verdict;
  byId('tiles').replaceChildren(
    ...raw.highlights.map((h) =>
      el(
        'div',
        {class: 'tile'},
        el('div', {class: 'label'}, h.label),
        el('div', {class: 'value'}, tileValue(h.value)),
        el('div', {class: 'note'}, h.note),
      ),
    ),
  );
}

// "3.40 M tokens/s": the number large, the unit smaller, so that long units fit the tile.
function tileValue(text) {
  const [, number, unit] = /^([-+\d.,]+%?)\s+(.+)$/.exec(text) || [null, text, ''];
  return unit ? [number + ' ', el('small', {}, unit)] : [text];
}

async function copyCommand() {
  const button = byId('copy');
  try {
    await navigator.clipboard.writeText(report.raw.command);
    button.textContent = 'Copied';
  } catch (error) {
    // Without the clipboard's permission the text is at least selected, ready for Ctrl+C.
    getSelection().selectAllChildren(byId('command'));
    button.textContent = 'Selected';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 1600);
}

function drawFooter() {
  byId('command').textContent = report.raw.command;
  byId('provenance').textContent =
    `Made by pipescope ${report.raw.version}. Everything shown is in this file; nothing is fetched.`;
}

// The plain tables stay where the rest cannot be drawn.
function fail(error) {
  document.documentElement.dataset.rendered = 'error: ' + error.message;
  delete document.documentElement.dataset.script;
  byId('failure').hidden = false;
  byId('failure').textContent = 'This report could not be drawn: ' + error.message;
  console.error(error);
}

function begin(start) {
  document.documentElement.dataset.script = '';
  start().then(() => {
    document.documentElement.dataset.rendered = 'ok';
  }, fail);
}
