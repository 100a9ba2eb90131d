// Colours by meaning, read from the style sheet so that light and dark have one home.

const ACTION_NAMES = ['F', 'I', 'W', 'B', 'F&B'];
const ACTION_WORDS = [
  'forward',
  'input gradient',
  'weight gradient',
  'backward',
  'overlapped forward and backward',
];
const OP_KIND_NAMES = [
  'attention',
  'MLP / expert',
  'dispatch',
  'combine',
  'embedding / head',
  'pipeline message',
  'gradient / parameter collective',
  'optimizer',
  'other',
];
const CAUSES = ['warm-up', 'drain', 'dependency', 'communication', 'imbalance'];

// Indices into palette.fill. The second of each pair of actions is the tint for direction 1.
const FILL = {
  forward: 0,
  backward: 2,
  weight: 4,
  op: 6,
  cause: 15,
  critical: 20,
  bubble: 21,
  selected: 22,
  track: 23,
  count: 24,
};
const FILL_VARS = [
  'forward',
  'forward-2',
  'backward',
  'backward-2',
  'weight',
  'weight-2',
  'attention',
  'expert',
  'dispatch',
  'combine',
  'edge',
  'message',
  'reduce',
  'optimizer',
  'other',
  'warm-up',
  'drain',
  'dependency',
  'communication',
  'imbalance',
  'critical',
  'bubble',
  'selected',
  'surface',
];

let palette = {};

function hexToRgb(hex) {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

function luminance(hex) {
  const [r, g, b] = hexToRgb(hex).map((v) => {
    const c = v / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Dark or white ink, whichever reads better on the colour.
function inkOn(hex) {
  const l = luminance(hex);
  return 1.05 / (l + 0.05) > (l + 0.05) / 0.057 ? '#ffffff' : '#10161d';
}

function mix(a, b, share) {
  const x = hexToRgb(a),
    y = hexToRgb(b);
  return (
    '#' +
    x
      .map((v, i) =>
        Math.round(v + (y[i] - v) * share)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')
  );
}

function readPalette() {
  const css = getComputedStyle(document.documentElement);
  const get = (name) => css.getPropertyValue('--' + name).trim();
  const fill = FILL_VARS.map(get);
  palette = {
    get,
    fill,
    ink: fill.map(inkOn),
    // The faded twin of every colour: what is not selected steps back but keeps its hue.
    faded: fill.map((c) => mix(c, get('row'), 0.82)),
    row: get('row'),
    grid: get('grid'),
    line: get('line'),
    lineStrong: get('line-strong'),
    text: get('text'),
    muted: get('muted'),
    surface: get('surface'),
    bubble: get('bubble'),
    selected: get('selected'),
    selectLine: get('select-line'),
    critical: get('critical'),
    accent: get('accent'),
    limit: get('limit'),
    message: get('message'),
    outside: get('outside'),
  };
}

function applyTheme() {
  const dark = state.theme ? state.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  byId('theme').textContent = dark ? 'Light' : 'Dark';
  byId('theme').setAttribute('aria-label', dark ? 'Switch to light colours' : 'Switch to dark colours');
  readPalette();
}
