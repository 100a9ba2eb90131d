// A figure over two fields, as a table whose cells are coloured: it is its own table for who cannot see colours.

const MOST_COLUMNS = 60,
  MOST_ROWS = 200;

// Points with the chosen values of the fields that are not shown.
function shownPoints() {
  const fixed = fixedPairs();
  for (const f of [state.x, state.y]) fixed.delete(f);
  return report.points.filter((p) => [...fixed].every(([f, v]) => p.values[f] === report.fields[f].values[v]));
}

// [y value][x value] -> the point to show. Without a second field there is one row.
function gridOf(x, y, figure) {
  const cells = new Map();
  for (const p of shownPoints()) {
    const key = JSON.stringify([p.values[x.index], y ? p.values[y.index] : '']);
    cells.set(key, preferred(cells.has(key) ? [cells.get(key), p] : [p], figure));
  }
  return (xv, yv) => cells.get(JSON.stringify([xv, y ? yv : '']));
}

const shownFields = () => ({
  x: report.fields[state.x],
  y: state.y >= 0 ? report.fields[state.y] : null,
  figure: FIGURES[state.figure],
});

function rangeOf(points, figure) {
  const values = points.filter((p) => p.status !== REFUSED).map((p) => p[figure.key]);
  return values.length
    ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
    : [0, 1];
}

const heatAt = (share) => mix(palette.row, palette.get('heat'), 0.06 + 0.84 * clamp(share, 0, 1));

function mapCell(p, figure, [low, high], best) {
  if (!p) return el('td', {class: 'cell none'}, '–');
  const select = () => setState({selected: p.index});
  const attributes = {onclick: select, type: 'button', 'aria-pressed': String(state.selected === p.index)};
  if (p.status === REFUSED) {
    const node = el('button', {...attributes, class: 'heat refused'}, 'refused');
    withTooltip(node, () => pointTip(p));
    return el('td', {class: 'cell'}, node);
  }
  const colour = heatAt(high > low ? (p[figure.key] - low) / (high - low) : 0);
  const over = p.status === TOO_LARGE;
  const node = el(
    'button',
    {...attributes, class: 'heat' + (over ? ' over' : ''), style: `background-color:${colour};color:${inkOn(colour)}`},
    figure.text(p[figure.key]),
    over ? el('small', {}, 'does not fit') : p === best ? el('small', {}, 'best') : null,
  );
  withTooltip(node, () => pointTip(p));
  return el('td', {class: 'cell' + (p === best ? ' best' : '')}, node);
}

function drawMap() {
  const {x, y, figure} = shownFields(),
    at = gridOf(x, y, figure);
  const columns = x.values.slice(0, MOST_COLUMNS),
    rows = y ? y.values.slice(0, MOST_ROWS) : [''];
  const shown = rows.flatMap((yv) => columns.map((xv) => at(xv, yv))).filter(Boolean);
  const range = rangeOf(shown, figure),
    best = preferred(shown.filter((p) => p.status === FITS), figure);
  byId('map-body').replaceChildren(
    el(
      'table',
      {class: 'map'},
      el('caption', {}, `${figure.name}: ${y ? y.name + ' down, ' : ''}${x.name} across`),
      el('thead', {}, el('tr', {}, el('td', {}), columns.map((v) => el('th', {scope: 'col'}, v)))),
      el(
        'tbody',
        {},
        rows.map((yv) =>
          el('tr', {}, el('th', {scope: 'row'}, yv), columns.map((xv) => mapCell(at(xv, yv), figure, range, best))),
        ),
      ),
    ),
  );
  byId('map-scale').replaceChildren(
    figure.text(range[0]),
    el('i', {style: `background:linear-gradient(90deg, ${heatAt(0)}, ${heatAt(1)})`}),
    figure.text(range[1]),
  );
  const cut = columns.length < x.values.length || rows.length < (y ? y.values.length : 1);
  byId('map-note').textContent = noteOfShown() + (cut ? ' Only the first values are shown; the table has all.' : '');
  byId('crossings').textContent = '';
}

// Which of several points a place stands for.
function noteOfShown() {
  const free = report.fields.filter(
    (f) => f.values.length > 1 && f.index !== state.x && f.index !== state.y && !fixedPairs().has(f.index),
  );
  return free.length ? `Each place is the best over ${free.map((f) => f.name).join(', ')}.` : '';
}
