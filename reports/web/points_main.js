// Puts the page of many points together.

let report = null;

function drawWhy() {
  byId('why').hidden = !report.raw.why;
  byId('why').textContent = report.raw.why || '';
  const {pruned} = report.raw;
  showSection('pruned', Boolean(pruned));
  if (!pruned) return;
  const most = Math.max(1, pruned[0].count);
  byId('pruned-table').replaceChildren(
    table(
      [
        {name: 'What', get: (r) => r.what},
        {name: 'Plans', get: (r) => String(r.count)},
        {name: 'Of all', get: (r) => formatShare(r.count / most)},
        {
          name: '',
          words: true,
          get: (r) => el('span', {class: 'gain-track'}, el('span', {class: 'gain', style: `width:${(100 * r.count) / most}%`})),
        },
        {name: 'By what', words: true, get: (r) => r.explain},
      ],
      pruned,
      {plain: true},
    ),
  );
}

function drawRefused() {
  const count = new Map();
  for (const p of report.points) if (p.status === REFUSED) count.set(p.reason, (count.get(p.reason) || 0) + 1);
  showSection('refused', count.size > 0);
  byId('refused-table').replaceChildren(
    table(
      [
        {name: 'Points', get: ([, n]) => String(n)},
        {name: 'Reason', words: true, get: ([reason]) => reason},
      ],
      [...count].sort((a, b) => b[1] - a[1]),
      {plain: true},
    ),
  );
}

const option = (value, text, chosen) => el('option', {value, selected: chosen}, text);

function drawControls() {
  const varied = report.fields.filter((f) => f.values.length > 1);
  byId('figure').replaceChildren(...FIGURES.map((f, i) => option(i, f.name, i === state.figure)));
  byId('x-field').replaceChildren(...varied.map((f) => option(f.index, f.name, f.index === state.x)));
  byId('y-field').replaceChildren(
    option(-1, 'nothing', state.y < 0),
    ...varied.filter((f) => f.index !== state.x).map((f) => option(f.index, f.name, f.index === state.y)),
  );
  byId('view-map').setAttribute('aria-pressed', String(state.view === 'map'));
  byId('view-lines').setAttribute('aria-pressed', String(state.view === 'lines'));
  const fixed = fixedPairs();
  byId('fixed').replaceChildren(
    ...varied
      .filter((f) => f.index !== state.x && f.index !== state.y)
      .map((f) =>
        el(
          'label',
          {class: 'select'},
          f.name + ' ',
          el(
            'select',
            {onchange: (event) => fix(f.index, Number(event.target.value))},
            option(-1, 'best', !fixed.has(f.index)),
            f.values.map((v, i) => option(i, v, fixed.get(f.index) === i)),
          ),
        ),
      ),
  );
}

function listenControls() {
  const number = (id, key) => {
    byId(id).onchange = (event) => setState({[key]: Number(event.target.value)});
  };
  number('figure', 'figure');
  number('y-field', 'y');
  byId('x-field').onchange = (event) => {
    const x = Number(event.target.value);
    setState({x, y: state.y === x ? state.x : state.y});
  };
  for (const view of ['map', 'lines']) byId('view-' + view).onclick = () => setState({view});
  byId('show-all').onclick = () => {
    rowsShown = Infinity;
    drawPointTable();
  };
  byId('theme').onclick = () =>
    setState({theme: document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'});
  byId('copy').onclick = copyCommand;
  byId('save-csv').onclick = () => download('points.csv', new Blob([pointsAsCsv()], {type: 'text/csv'}));
  byId('save-json').onclick = () =>
    download('points.json', new Blob([JSON.stringify(report.raw)], {type: 'application/json'}));
}

// A heatmap scrolls where it is wide, lines take the width there is.
function drawFigures() {
  drawControls();
  if (state.view === 'map') return drawMap();
  const width = Math.max(280, byId('map-body').clientWidth);
  byId('map-body').replaceChildren(drawLines(width));
}

function drawPointExplanations() {
  explain('map-how', [
    'A place is a point of the sweep: the step simulated with these values. Darker is more. A solid frame marks the best that fits in memory, a dashed one what does not fit; what the simulation refuses says so: click it for the reason. Lines that cross change places: which is better depends on the field.',
  ]);
  explain(
    'front-how',
    [
      code('on the front: no other point is as fast with as little memory, and better in one of them'),
      report.raw.kind === 'plan' ? '; of plans on fewer GPUs also none on as few. ' : '. ',
      'What is above the dashed line does not fit in a GPU.',
    ],
    ['Peak memory is that of the fullest rank: parameters, gradients, optimizer, buffers and the most activations it holds at once.'],
  );
  explain('pruned-how', [
    'Plans go from the one with the least bound to the one with the most; what a bound rules out is not simulated: ',
    code('bound = max over ranks of (head + max(work, work before its last backward + tail)) ≤ step time'),
    '. It leaves out messages, contention and the step’s end, so nothing that was left out can be faster than the plans listed, nor on their front.',
  ]);
}

function listenChanges() {
  const figures = frameThrottle(drawFigures),
    front = plotInto('front-body', drawFront);
  listen(['figure', 'x', 'y', 'view', 'fixed', 'selected'], figures);
  listen(['sort', 'down', 'selected'], drawPointTable);
  listen(['selected'], () => {
    drawChosen();
    front();
  });
  listen(['theme'], () => {
    applyTheme();
    drawFigures();
  });
  matchMedia('(prefers-color-scheme: dark)').onchange = () => {
    applyTheme();
    drawFigures();
  };
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width && state.view === 'lines') figures();
    width = innerWidth;
  });
}

async function start() {
  report = decodePoints(await readData(byId('data').textContent));
  readHash();
  applyTheme();
  drawHeader();
  drawWhy();
  showSection('map', report.raw.kind === 'sweep' && report.fields.some((f) => f.values.length > 1));
  showSection('front', report.points.some((p) => p.status !== REFUSED));
  if (!byId('map').hidden) drawFigures();
  drawFrontLegend();
  drawPointTable();
  drawChosen();
  drawRefused();
  drawPointExplanations();
  drawFooter();
  listenControls();
  listenChanges();
}

begin(start);
