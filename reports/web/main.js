// Puts the page together.

let report = null;

// Kinds of actions and of operations that there are; found once.
function kindsInReport() {
  if (report.kinds) return report.kinds;
  const kinds = new Set(),
    ops = new Set();
  for (const r of report.results) {
    r.actions.kind.forEach((k) => kinds.add(k));
    for (const shape of r.shapes) shape.name.forEach((n) => ops.add(r.opKinds[n]));
    r.stepOps.name.forEach((n) => ops.add(r.opKinds[n]));
    if (r.messageLane >= 0) ops.add(5);
  }
  report.kinds = {kinds, ops};
  return report.kinds;
}

function fillGanttLegend() {
  const two = 'linear-gradient(var(--forward) 50%, var(--backward) 50%)',
    {kinds, ops} = kindsInReport();
  const entries = [];
  if (kinds.has(KIND.F) || kinds.has(KIND.FB)) entries.push(['var(--forward)', 'F forward']);
  const both = [
    kinds.has(KIND.B) || kinds.has(KIND.FB) ? 'B backward' : '',
    kinds.has(KIND.I) ? 'I input gradient' : '',
  ].filter(Boolean);
  if (both.length) entries.push(['var(--backward)', both.join(', ')]);
  if (kinds.has(KIND.W)) entries.push(['var(--weight)', 'W weight gradient']);
  if (kinds.has(KIND.FB)) entries.push([two, 'F&B overlapped']);
  if (report.results.some((r) => r.direction.includes(1)))
    entries.push(['var(--forward-2)', 'lighter: last rank to first']);
  entries.push(['var(--bubble)', 'bubble', 'box-shadow:inset 0 0 0 1px var(--line-strong)']);
  if (state.critical) entries.push(['var(--critical)', 'critical path', 'height:4px']);
  if (state.gaps)
    CAUSES.forEach((c, i) => {
      if (state.cause < 0 || state.cause === i) entries.push([`var(--${c})`, 'gap: ' + c]);
    });
  if (state.messages) entries.push(['var(--text)', 'message (dashed: backward)', 'height:2px']);
  const variables = [
    'attention',
    'expert',
    'dispatch',
    'combine',
    'edge',
    'message',
    'reduce',
    'optimizer',
    'other',
  ];
  // Operations are in view only when the lanes are open, apart from those after the pipeline.
  variables.forEach((v, i) => {
    if (ops.has(i) && (gantt.expanded || i === 6 || i === 7)) entries.push([`var(--${v})`, OP_KIND_NAMES[i]]);
  });
  fillLegend('gantt-legend', entries);
}

let gantt = null;

// Warm-up ends when the last rank has started, drain begins when the first has finished.
function phases() {
  let warm = 0,
    drain = fullEnd;
  for (const r of report.results) {
    const a = r.actions;
    for (let rank = 0; rank < r.ranks; rank++) {
      if (a.offsets[rank] === a.offsets[rank + 1]) continue;
      const last = a.offsets[rank + 1] - 1;
      warm = Math.max(warm, a.start[a.offsets[rank]]);
      drain = Math.min(drain, a.start[last] + a.dur[last]);
    }
  }
  return {warm, drain, action: typicalAction(report.results)};
}

function jumpTo(where) {
  const {warm, drain, action} = phases();
  if (where === 'warm') return setWindow(0, Math.max(warm * 1.25, 8 * action));
  if (where === 'drain') return setWindow(Math.min(drain - 4 * action, fullEnd - 8 * action), fullEnd);
  const middle = (warm + Math.max(drain, warm)) / 2;
  setWindow(middle - 6 * action, middle + 6 * action);
}

function listenButtons() {
  const middle = () => (state.start + state.end) / 2;
  const on = (id, work) => {
    byId(id).onclick = work;
  };
  on('zoom-in', () => zoomAround(0.5, middle()));
  on('zoom-out', () => zoomAround(2, middle()));
  on('zoom-fit', () => setWindow(0, fullEnd));
  for (const where of ['warm', 'steady', 'drain']) on('jump-' + where, () => jumpTo(where));
  for (const key of ['critical', 'messages', 'gaps'])
    on('show-' + key, () => setState({[key]: !state[key], ...(key === 'gaps' ? {cause: -1} : {})}));
  byId('lanes').onchange = (event) => setState({lanes: event.target.value});
  on('theme', () => setState({theme: document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'}));
  on('copy', copyCommand);
}

function showToggles() {
  for (const key of ['critical', 'messages', 'gaps'])
    byId('show-' + key).setAttribute('aria-pressed', String(state[key]));
  byId('lanes').value = state.lanes;
  byId('zoom-fit').disabled = false;
  fillGanttLegend();
}

function listenChanges() {
  const minimap = frameThrottle(drawMinimap),
    memory = frameThrottle(whenSeen('memory', drawMemory)),
    toggles = frameThrottle(showToggles);
  listen(['start', 'end'], minimap);
  listen(['start', 'end', 'cursor', 'memoryRank'], memory);
  const links = frameThrottle(whenSeen('links', drawLinks));
  listen(['start', 'end', 'cursor', 'resource'], links);
  listen(['resource'], frameThrottle(whenSeen('links', drawTraffic)));
  listen(['memoryRank'], drawMemoryBars);
  listen(['selection', 'range', 'critical'], () => drawDetails(gantt));
  listen(['critical', 'messages', 'gaps', 'cause', 'lanes', 'start', 'end'], toggles);
  listen(['theme'], restyle);
  new ResizeObserver(() => {
    minimap();
    memory();
    links();
  }).observe(byId('memory-curves'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyle);
  window.addEventListener('hashchange', () => readHash(report.results));
  // Paper is white, whatever the screen is.
  window.addEventListener('beforeprint', () => {
    document.documentElement.dataset.theme = 'light';
    gantt.scroll.style.maxHeight = 'none';
    readPalette();
    redrawAll();
  });
  window.addEventListener('afterprint', () => {
    gantt.scroll.style.maxHeight = '';
    restyle();
  });
}

function restyle() {
  applyTheme();
  redrawAll();
}

function redrawAll() {
  gantt.draw();
  drawMinimap();
  drawMemory();
  drawLinks();
  drawTraffic();
  drawAttribution();
  drawDetails(gantt);
}

async function start() {
  report = decodeReport(await readData(byId('data').textContent));
  fullEnd = Math.max(1, ...report.results.map((r) => r.end));
  state.end = fullEnd;
  readHash(report.results);
  applyTheme();
  drawHeader();
  drawStep();
  hideUnknownMemory();
  makeMemory();
  drawMemoryBars();
  makeLinks();
  makeFabric();
  drawRankTables();
  drawValidation();
  drawBaseline();
  drawSensitivities();
  drawAssumptions();
  drawExplanations();
  drawFooter();
  gantt = new Gantt();
  listenButtons();
  listenExports();
  listenChanges();
  redrawAll();
  showToggles();
}

begin(start);
