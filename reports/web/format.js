// Numbers as text, always with a unit. Four significant digits: more would claim what a model cannot know.

const GIB = 2 ** 30;

function significant(x, digits) {
  if (!Number.isFinite(x)) return '–';
  if (x === 0) return '0';
  const whole = Math.floor(Math.log10(Math.abs(x))) + 1;
  return x.toFixed(clamp(digits - whole, 0, 6));
}

function formatNs(ns) {
  const size = Math.abs(ns);
  if (!Number.isFinite(ns)) return '–';
  if (size === 0) return '0 s';
  if (size >= 1e9) return significant(ns / 1e9, 4) + ' s';
  if (size >= 1e6) return significant(ns / 1e6, 4) + ' ms';
  if (size >= 1e3) return significant(ns / 1e3, 4) + ' µs';
  return significant(ns, 3) + ' ns';
}

const formatSeconds = (s) => formatNs(s * 1e9);
const formatShare = (x) => (Number.isFinite(x) ? (100 * x).toFixed(1) + '%' : '–');
const formatGib = (bytes) => (Number.isFinite(bytes) ? (bytes / GIB).toFixed(1) : '–');
const formatBytes = (bytes) =>
  bytes >= 10240 * GIB
    ? (bytes / 1024 / GIB).toFixed(1) + ' TiB'
    : bytes >= GIB / 10 ? formatGib(bytes) + ' GiB' : significant(bytes / 2 ** 20, 3) + ' MiB';

function formatCount(x) {
  for (const [size, letter] of [
    [1e12, ' T'],
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ]) {
    if (Math.abs(x) >= size) return significant(x / size, 4) + letter;
  }
  return significant(x, 4);
}

// Ticks at 1, 2 or 5 times a power of ten, about `target` of them, and how to write them.
function niceTicks(low, high, target) {
  const raw = (high - low) / Math.max(1, target);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw) || power;
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
  return {step, ticks};
}

// One unit for the whole axis, and just enough decimals to tell neighbours apart.
function axisFormat(step, largest) {
  const [size, unit] =
    largest >= 2e9 && step >= 1e6 ? [1e9, 's'] : largest >= 1e6 ? [1e6, 'ms'] : [1e3, 'µs'];
  const decimals = clamp(Math.ceil(-Math.log10(step / size) - 1e-9), 0, 6);
  return {unit, text: (ns) => (ns / size).toFixed(decimals)};
}
