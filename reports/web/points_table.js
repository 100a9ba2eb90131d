// Every point as a row, sorted by any column, and the chosen one in full.

const FIRST_ROWS = 200;
let rowsShown = FIRST_ROWS;

const fieldColumns = () =>
  report.fields
    .filter((f) => f.values.length > 1 || report.fields.length < 4)
    .map((f) => ({
      key: 'field' + f.index,
      name: f.name,
      words: !f.numeric,
      get: (p) => p.values[f.index],
      order: (p) => (f.numeric ? Number(p.values[f.index]) : p.values[f.index]),
    }));

const pointColumns = () => [
  {key: 'rank', name: '#', get: (p) => (p.rank ? String(p.rank) : 'front'), order: (p) => p.rank || Infinity},
  ...fieldColumns(),
  ...FIGURES.map((f) => ({
    key: f.key,
    name: f.name,
    get: (p) => (p.status === REFUSED ? '–' : f.text(p[f.key])),
    order: (p) => p[f.key],
  })),
  {key: 'bound_by', name: 'Bound by', words: true, get: (p) => p.bound_by || '', order: (p) => p.bound_by || ''},
  {key: 'status', name: 'State', words: true, get: statusCell, order: (p) => p.status - (p.front ? 0.5 : 0)},
];

const sortKeys = () => pointColumns().map((c) => c.key);

function statusCell(p) {
  if (p.status === FITS) return p.front ? 'on the front' : '';
  return el('span', {class: 'badge alarm-badge', title: p.reason || null}, statusText(p));
}

// Refused points have no figures: they come last, whichever way the others run.
function sortedPoints(column) {
  const sign = state.down ? -1 : 1;
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const byFigure = FIGURES.some((f) => f.key === column.key);
  return [...report.points].sort(
    (a, b) =>
      (byFigure ? a.status - b.status : 0) || sign * compare(column.order(a), column.order(b)) || a.index - b.index,
  );
}

function sortHead(column) {
  const active = state.sort === column.key;
  return el(
    'th',
    {scope: 'col', class: column.words ? 'words' : null, 'aria-sort': active ? (state.down ? 'descending' : 'ascending') : null},
    el(
      'button',
      {type: 'button', class: 'link sort', onclick: () => setState({sort: column.key, down: active && !state.down})},
      column.name + (active ? (state.down ? ' ▼' : ' ▲') : ''),
    ),
  );
}

function drawPointTable() {
  const columns = pointColumns(),
    chosen = columns.find((c) => c.key === state.sort) || columns[0],
    rows = sortedPoints(chosen);
  const node = table(columns, rows.slice(0, rowsShown), {
    rowClass: (p) => (p === report.best ? 'best' : '') + (p.index === state.selected ? ' chosen' : '') || null,
  });
  node.tHead.rows[0].replaceChildren(...columns.map(sortHead));
  [...node.tBodies[0].rows].forEach((row, i) => {
    row.onclick = () => setState({selected: rows[i].index});
    const cell = row.cells[0],
      text = cell.textContent;
    cell.replaceChildren(
      el('button', {type: 'button', class: 'link', 'aria-label': `Point ${text}: ${pointTitle(rows[i])}`}, text),
    );
  });
  byId('points-table').replaceChildren(node);
  byId('show-all').hidden = rows.length <= rowsShown;
  byId('show-all').textContent = `Show all ${rows.length} points`;
}

function drawChosen() {
  const p = report.points[state.selected] || report.best;
  if (!p) return byId('details').replaceChildren('No point fits. Choose one to see why.');
  const own = report.fields.map((f) => [f.name, p.values[f.index]]);
  byId('details').replaceChildren(
    el('h3', {}, (p === report.best ? 'Fastest that fits: ' : '') + pointTitle(p)),
    el('div', {class: 'columns'}, factList(own), factList(pointFacts(p))),
    el('div', {class: 'command'}, el('pre', {}, el('code', {id: 'point-command', tabindex: 0}, commandOf(p)))),
  );
}

function pointsAsCsv() {
  const columns = ['schedule', 'step_time_s', 'tokens_per_second', 'mfu', 'bubble_rate', 'memory_peak_bytes', 'bound_by'];
  const head = [...report.fields.map((f) => f.name), ...columns, 'state', 'reason'];
  const cell = (v) => (typeof v === 'number' ? String(v) : csvText(v || ''));
  const lines = report.points.map((p) =>
    [...p.values, ...columns.map((c) => p[c]), statusText(p), p.reason].map(cell).join(','),
  );
  return [head.map(csvText).join(','), ...lines].join('\r\n') + '\r\n';
}
