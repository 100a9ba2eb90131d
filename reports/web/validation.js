// Predictions held against runs: errors by schedule, and where the two part.

const signed = (seconds) => (seconds > 0 ? '+' : seconds < 0 ? '−' : '') + formatSeconds(Math.abs(seconds));

function validationColumns() {
  return [
    {name: 'Schedule', get: (v) => v.schedule},
    {name: 'Predicted', get: (v) => formatSeconds(v.predicted_s)},
    {name: 'Noise', unit: 'of predictions', get: (v) => formatShare(v.predicted_noise)},
    {name: 'Measured', get: (v) => formatSeconds(v.measured_s)},
    {name: 'Noise', unit: 'of runs', get: (v) => formatShare(v.noise)},
    {name: 'Error', get: (v) => (v.error > 0 ? '+' : '') + formatShare(v.error)},
    {name: 'Others', unit: 'of the processors', get: (v) => formatShare(v.others)},
    {name: 'Last rank', get: (v) => String(v.last_rank)},
    {name: 'Longer', unit: 'its actions', get: (v) => signed(v.longer_s)},
    {name: 'Waited', unit: 'between them', get: (v) => signed(v.waited_s)},
    {name: 'After', unit: "the step's end", get: (v) => signed(v.after_s)},
  ];
}

// Predicted over measured on one scale: what lies on the diagonal was foretold. Bands: 5 and 10 % off.
function drawScatter(width) {
  const list = report.raw.validation,
    times = list.flatMap((v) => [v.predicted_s, v.measured_s]);
  const [low, high] = roomy(times, 0.12),
    range = [Math.max(0, low), high];
  const plot = new Plot(
    Math.min(width, 620),
    400,
    {range, name: 'Measured', text: formatSeconds},
    {range, name: 'Predicted', text: formatSeconds},
  );
  const line = (slope, kind) => {
    const to = slope > 1 ? range[1] / slope : range[1],
      from = slope < 1 ? Math.min(to, range[0] / slope) : range[0];
    return {kind, d: `M${plot.x(from)} ${plot.y(from * slope)}L${plot.x(to)} ${plot.y(to * slope)}`};
  };
  for (const {kind, d} of [line(1, 'exact'), ...[0.9, 0.95, 1.05, 1.1].map((s) => line(s, 'band'))])
    plot.add('path', {class: kind, d});
  for (const v of list) {
    const bar = (at, noise) => [Math.max(range[0], at * (1 - noise)), Math.min(range[1], at * (1 + noise))],
      [left, right] = bar(v.measured_s, v.noise),
      [bottom, top] = bar(v.predicted_s, v.predicted_noise);
    plot.add('path', {
      class: 'noise',
      d:
        `M${plot.x(left)} ${plot.y(v.predicted_s)}H${plot.x(right)}` +
        `M${plot.x(v.measured_s)} ${plot.y(bottom)}V${plot.y(top)}`,
    });
    plot.mark(v.measured_s, v.predicted_s, {
      label: `${v.schedule}: predicted ${formatSeconds(v.predicted_s)}, measured ${formatSeconds(v.measured_s)}`,
      class: 'mark front',
      tip: () => [el('strong', {}, v.schedule), factList(validationColumns().slice(1, 7).map((c) => [[c.name, c.unit].filter(Boolean).join(' '), c.get(v)]))],
    });
  }
  nameOutliers(plot, list);
  return plot.svg;
}

// The three that are most off by name, where they are off by more than either noise; a name that would lie on another
// moves up.
function nameOutliers(plot, list) {
  const placed = [];
  [...list]
    .sort((a, b) => Math.abs(b.error) - Math.abs(a.error))
    .slice(0, 3)
    .filter((v) => Math.abs(v.error) > Math.max(v.noise, v.predicted_noise))
    .forEach((v) => {
      const text = `${shortened(v.schedule, 28)} ${(v.error > 0 ? '+' : '') + formatShare(v.error)}`,
        wide = 7 * text.length,
        x = plot.x(v.measured_s),
        late = x + wide > plot.width - 10,
        left = late ? x - 9 - wide : x + 9;
      let y = plot.y(v.predicted_s) - 8;
      while (placed.some((p) => Math.abs(p.y - y) < 14 && left < p.left + p.wide && p.left < left + wide)) y -= 14;
      placed.push({left, wide, y});
      plot.add('text', {x: late ? x - 9 : x + 9, y, class: late ? 'end' : ''}, text);
    });
}

function drawValidation() {
  const list = report.raw.validation || [];
  showSection('validation', list.length > 0);
  if (!list.length) return;
  plotInto('validation-scatter', drawScatter);
  byId('validation-table').replaceChildren(table(validationColumns(), list));
  const parts = list.flatMap((v) => v.partings.map((p) => ({...p, schedule: v.schedule})));
  byId('validation-parts').replaceChildren(
    table(
      [
        {name: 'Schedule', get: (p) => p.schedule},
        {name: 'Action', words: true, get: (p) => p.where},
        {name: 'Measured less predicted', get: (p) => signed(p.late_s)},
        {name: 'Why', words: true, get: (p) => p.why},
      ],
      parts,
      {plain: true},
    ),
  );
  byId('validation-how').replaceChildren(
    el(
      'p',
      {},
      'In the picture a point on the line was predicted exactly, above it too long; the dashed lines are 5 and 10 % off, the bars through a point are the noise of its runs, across, and of its prediction, as far as the picture reaches.',
    ),
    el(
      'p',
      {},
      'Error: of the predicted step against the median of the measured ones. Noise: half the distance between ' +
        'the quartiles of the measured steps, and of those that single calibrations predict. Others: what other processes used of the processors meanwhile.',
    ),
    el(
      'p',
      {},
      'The run shown is the one nearest to the median. Its last rank to end its actions ended them later than ' +
        'predicted by the sum of what its actions took longer and of what it waited longer between them. ' +
        'The largest such differences of all ranks are listed. The timeline below has both on one axis.',
    ),
  );
}
