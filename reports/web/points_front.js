// Step time against memory: every point, the front of those that no other beats, and the limit.

const MOST_MARKS = 4000;

function drawFront(width) {
  const known = report.points.filter((p) => p.status !== REFUSED);
  // The front is always drawn, of the others the fastest.
  const shown = [...known].sort((a, b) => b.front - a.front || a.step_time_s - b.step_time_s).slice(0, MOST_MARKS);
  const given = report.raw.limit_bytes; // of a plan's search
  const limits = given ? [given] : [...new Set(known.map((p) => p.memory_limit_bytes))].filter((v) => v > 0);
  const most = known.reduce((m, p) => Math.max(m, p.memory_peak_bytes), 0);
  const near = limits.filter((limit) => limit < 1.5 * most);
  const plot = new Plot(
    width,
    400,
    {range: roomy(shown.map((p) => p.step_time_s)), name: 'Step time', text: formatSeconds},
    {range: roomy([...shown.map((p) => p.memory_peak_bytes), ...near]), name: 'Peak memory of a GPU', text: formatBytes, unit: GIB},
  );
  for (const limit of near) {
    const y = plot.y(limit);
    plot.add('line', {class: 'limit-line', x1: plot.left, x2: width - plot.right, y1: y, y2: y});
    plot.add('text', {class: 'tick end limit-text', x: width - plot.right - 4, y: y - 5}, (given ? 'limit ' : 'memory of a GPU ') + formatBytes(limit));
  }
  const front = shown.filter((p) => p.front);
  drawFrontLine(plot, front);
  for (const p of shown.reverse()) drawPoint(plot, p);
  return plot.svg;
}

// Steps: until the next point nothing faster needs less memory. Of plans on other numbers of GPUs the points are
// on the front for their GPUs, and a line would claim an order they do not have.
function drawFrontLine(plot, front) {
  if (new Set(front.map((p) => p.gpus)).size > 1) return;
  const sorted = [...front].sort((a, b) => a.step_time_s - b.step_time_s);
  let path = '';
  sorted.forEach((p, i) => {
    const [x, y] = [plot.x(p.step_time_s), plot.y(p.memory_peak_bytes)];
    path += i ? `H${x}V${y}` : `M${x} ${y}`;
  });
  if (path) plot.add('path', {d: path, class: 'front-line'});
}

function drawPoint(plot, p) {
  const kind = p === report.best ? 'best' : p.status === TOO_LARGE ? 'over' : p.front ? 'front' : 'plain';
  plot.mark(p.step_time_s, p.memory_peak_bytes, {
    label: `${pointTitle(p)}: ${formatSeconds(p.step_time_s)}, ${formatBytes(p.memory_peak_bytes)}, ${statusText(p)}`,
    tip: () => pointTip(p),
    choose: () => setState({selected: p.index}),
    shape: {best: 'diamond', over: 'cross', front: 'square', plain: 'circle'}[kind],
    size: kind === 'best' ? 7 : kind === 'plain' ? 4 : 5,
    class: `mark ${kind}` + (p.index === state.selected ? ' chosen' : ''),
  });
}

function drawFrontLegend() {
  const entry = (kind, shape, text) =>
    el(
      'span',
      {},
      svgEl('svg', {width: 16, height: 14, 'aria-hidden': 'true'}, svgEl('path', {class: `mark ${kind}`, d: markPath(shape, 8, 7, 4.5)})),
      text,
    );
  const has = (test) => report.points.some(test);
  byId('front-legend').replaceChildren(
    ...[
      report.best ? entry('best', 'diamond', 'fastest that fits') : null,
      has((p) => p.front) ? entry('front', 'square', 'on the front') : null,
      has((p) => p.status === FITS && !p.front) ? entry('plain', 'circle', 'beaten in both') : null,
      has((p) => p.status === TOO_LARGE) ? entry('over', 'cross', 'does not fit') : null,
    ].filter(Boolean),
  );
}
