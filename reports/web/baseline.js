// What changed against an earlier result: the figures of both, and the largest change of each schedule in words.

const baselineRow = (result) => {
  const before = report.raw.baseline.results.find((b) => b.label === result.label);
  if (!before) return null;
  const peak = (list) => (list.length ? Math.max(...list.map((m) => m.total_peak)) : null);
  return {result, before, now: {...result.raw, peak: peak(result.raw.memory_bytes)}};
};

// "+1.2 %": relative, with its sign; worse is marked, since more of each of these is worse.
function changeCell(now, before, format) {
  if (now === null || before === null || !Number.isFinite(before)) return '–';
  const change = before ? now / before - 1 : now ? Infinity : 0;
  const text = Number.isFinite(change) ? `${change > 0 ? '+' : ''}${(100 * change).toFixed(2)}%` : 'new';
  const word = change > 0 ? 'worse' : change < 0 ? 'better' : 'same';
  return [
    `${format(before)} → ${format(now)} `,
    el('span', {class: 'change ' + word}, change ? `${change > 0 ? '▲' : '▼'} ${text}` : '= same'),
  ];
}

// "backward_input" is what the breakdown calls it; readers see "input gradient".
const partName = (key) => (BREAKDOWN.find(([k]) => k === key) || [key, key])[1];

function largestChange({now, before}) {
  const changes = Object.keys(now.breakdown_s)
    .map((key) => ({key, seconds: now.breakdown_s[key] - (before.breakdown_s[key] || 0)}))
    .sort((a, b) => Math.abs(b.seconds) - Math.abs(a.seconds));
  const top = changes.filter((c) => Math.abs(c.seconds) > 1e-9).slice(0, 2);
  return top.length ? top.map((c) => `${partName(c.key)} ${signed(c.seconds)}`).join(', ') : 'nothing';
}

function drawBaseline() {
  const {baseline} = report.raw;
  showSection('baseline', Boolean(baseline));
  if (!baseline) return;
  const rows = report.results.map(baselineRow).filter(Boolean);
  const relative = (r) => Math.abs(r.now.step_time_s / r.before.step_time_s - 1);
  rows.sort((a, b) => relative(b) - relative(a));
  const missing = report.results.filter((r) => !rows.some((row) => row.result === r)).map((r) => r.label);
  byId('baseline-table').replaceChildren(
    table(
      [
        {name: 'Schedule', get: (r) => r.result.label},
        {name: 'Step', get: (r) => changeCell(r.now.step_time_s, r.before.step_time_s, formatSeconds)},
        {
          name: 'Bubble',
          unit: 'of the pipeline',
          get: (r) => changeCell(r.now.bubble.makespan_rate, r.before.bubble_rate, formatShare),
        },
        {name: 'Peak memory', get: (r) => changeCell(r.now.peak, r.before.peak_bytes, formatBytes)},
        {name: 'Largest changes', unit: 'mean over ranks', words: true, get: largestChange},
      ],
      rows,
    ),
  );
  explain(
    'baseline-how',
    [
      `The baseline is ${baseline.file}, of pipescope ${baseline.version}, made by `,
      el('code', {}, baseline.command),
      '. Schedules are matched by name; the largest change of the step comes first.',
    ],
    [el('code', {}, 'change = now / baseline − 1'), '. ▲ and ▼ say the direction; more is worse in every column.'],
    ...(missing.length ? [[`Not in the baseline: ${missing.join(', ')}.`]] : []),
  );
}
