// What the reader has chosen in the page of many points. Fields are told by their number.

const state = {
  figure: 0,
  x: 0,
  y: -1, // -1: none
  view: 'map',
  fixed: '', // "2:0,3:1": field 2 at its value 0
  sort: 'step_time_s',
  down: false, // largest first
  selected: -1,
  theme: '',
};

const DEFAULTS = {...state};

function hashText() {
  return Object.keys(state)
    .filter((key) => state[key] !== DEFAULTS[key])
    .map((key) => `${key}=${encodeURIComponent(String(state[key]))}`)
    .join('&');
}

const fixedPairs = () =>
  new Map(
    state.fixed
      .split(',')
      .map((pair) => pair.split(':').map(Number))
      .filter(([f, v]) => report.fields[f] && report.fields[f].values[v] !== undefined),
  );

function fix(field, value) {
  const pairs = fixedPairs();
  if (value < 0) pairs.delete(field);
  else pairs.set(field, value);
  setState({fixed: [...pairs].map((pair) => pair.join(':')).join(',')});
}

// The two fields with most values are shown first.
function chooseFields() {
  const varied = report.fields.filter((f) => f.values.length > 1);
  const x = varied.find((f) => f.numeric) || varied[0] || report.fields[0],
    y = varied.find((f) => f !== x);
  Object.assign(DEFAULTS, {x: x ? x.index : 0, y: y ? y.index : -1, view: y ? 'map' : 'lines'});
  Object.assign(state, DEFAULTS);
}

function readHash() {
  chooseFields();
  const found = hashEntries(),
    change = {};
  const whole = (key, below, from = 0) => {
    const n = Number(found.get(key) || NaN);
    if (Number.isInteger(n) && n >= from && n < below) change[key] = n;
  };
  whole('figure', FIGURES.length);
  whole('x', report.fields.length);
  whole('y', report.fields.length, -1);
  whole('selected', report.points.length, -1);
  for (const [key, allowed] of [
    ['view', ['map', 'lines']],
    ['theme', ['light', 'dark']],
    ['sort', sortKeys()],
  ])
    if (allowed.includes(found.get(key))) change[key] = found.get(key);
  if (found.has('down')) change.down = found.get('down') === 'true';
  if (/^[\d:,%A-F]*$/i.test(found.get('fixed') || ''))
    change.fixed = (found.get('fixed') || '').replace(/%3A/gi, ':').replace(/%2C/gi, ',');
  setState(change);
  if (state.y === state.x) setState({y: -1});
}
