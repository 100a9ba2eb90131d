// The points of a sweep or of a plan's search, as objects, and what is asked of them.

const FITS = 0,
  TOO_LARGE = 1,
  REFUSED = 2;

// `better`: the sign of what is wished for.
const FIGURES = [
  {key: 'step_time_s', name: 'Step time', better: -1, text: formatSeconds},
  {key: 'tokens_per_second', name: 'Tokens/s', better: 1, text: formatCount},
  {key: 'mfu', name: 'MFU', better: 1, text: formatShare},
  {key: 'bubble_rate', name: 'Bubble', better: -1, text: formatShare},
  {key: 'memory_peak_bytes', name: 'Peak memory', better: -1, text: formatBytes, unit: GIB},
];

// Numbers by size; what is no number stays in the order in which the sweep names it.
function valuesOf(points, field) {
  const values = [...new Set(points.map((p) => p.values[field]))];
  const numeric = values.every((v) => v !== '' && Number.isFinite(Number(v)));
  if (numeric) values.sort((a, b) => Number(a) - Number(b));
  return {values, numeric};
}

function decodePoints(raw) {
  if (raw.format !== 'pipescope-points/1')
    throw new Error(`data format is ${JSON.stringify(raw.format)}, expected "pipescope-points/1"`);
  const c = raw.points;
  const points = c.values.map((values, i) => ({
    index: i,
    values,
    status: c.status[i],
    reason: c.reason[i] >= 0 ? raw.reasons[c.reason[i]] : '',
    front: c.front[i] === 1,
    rank: c.rank[i],
    schedule: c.schedule[i],
    step_time_s: c.step_time_s[i],
    tokens_per_second: c.tokens_per_second[i],
    mfu: c.mfu[i],
    bubble_rate: c.bubble_rate[i],
    memory_peak_bytes: c.memory_peak_bytes[i],
    memory_limit_bytes: c.memory_limit_bytes[i],
    gpus: c.gpus[i],
    bound_by: c.bound_by[i],
  }));
  const fields = raw.fields.map((name, i) => ({name, index: i, ...valuesOf(points, i)}));
  const usable = points.filter((p) => p.status === FITS);
  const best = usable.reduce((b, p) => (!b || p.step_time_s < b.step_time_s ? p : b), null);
  return {raw, points, fields, best};
}

// The one to show of several: those that fit first, then by the figure.
function preferred(points, figure) {
  const before = (a, b) =>
    a.status !== b.status ? a.status < b.status : figure.better * (b[figure.key] - a[figure.key]) < 0;
  return points.reduce((best, p) => (!best || before(p, best) ? p : best), null);
}

const statusText = (p) =>
  p.status === REFUSED ? 'refused' : p.status === TOO_LARGE ? 'does not fit' : p.front ? 'on the front' : 'fits';

// What a shell would need quotes for gets them.
const shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'");

// GPUs are the product of the others, not a field of the experiment.
function commandOf(p) {
  const sets = report.fields
    .filter((f) => f.name !== 'GPUs' && p.values[f.index] !== '')
    .map((f) => ' --set ' + shellWord(`${f.name}=${p.values[f.index]}`));
  return 'pipescope simulate ' + shellWord(report.raw.experiment) + sets.join('') + ' --html report.html';
}

const pointTitle = (p) =>
  report.fields
    .filter((f) => f.values.length > 1)
    .map((f) => `${f.name} ${p.values[f.index]}`)
    .join(', ') || 'the only point';

const pointFacts = (p) =>
  p.status === REFUSED
    ? [['Refused', p.reason]]
    : [
        ...FIGURES.map((f) => [f.name, f.text(p[f.key])]),
        ['Memory limit', formatBytes(p.memory_limit_bytes)],
        ['Bound by', p.bound_by],
        ['Memory', p.status === TOO_LARGE ? 'does not fit' : 'fits'],
        ['Front', p.front ? 'no other one is better in all' : ''],
      ];

const pointTip = (p) => [el('strong', {}, pointTitle(p)), factList(pointFacts(p))];
