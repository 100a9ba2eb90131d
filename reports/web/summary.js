// Where the step goes.

// Parts of a step in the order they are stacked: key, name, palette variable.
const BREAKDOWN = [
  ['forward', 'forward', 'forward'],
  ['backward_input', 'input gradient', 'backward'],
  ['backward_weight', 'weight gradient', 'weight'],
  ['overlapped', 'overlapped F&B', 'pair'],
  ['exposed_communication', 'exposed communication', 'exposed'],
  ['optimizer', 'optimizer', 'optimizer'],
  ['bubble', 'bubble', 'bubble'],
];

// An overlapped pair is both colours at once, here and in the timeline.
const partColor = (variable) =>
  variable === 'pair' ? 'linear-gradient(var(--forward) 50%, var(--backward) 50%)' : `var(--${variable})`;

function drawStep() {
  const {results, best} = report,
    longest = Math.max(...results.map((r) => r.raw.step_time_s), 1e-12);
  const parts = BREAKDOWN.filter(([key]) => results.some((r) => r.raw.breakdown_s[key] > 0));
  fillLegend(
    'step-legend',
    parts.map(([, name, variable]) => [partColor(variable), name]),
  );
  byId('step-bars').replaceChildren(
    ...results.map((r, i) => {
      const values = parts.map(([key, name, variable]) => ({
        name,
        variable,
        seconds: r.raw.breakdown_s[key] || 0,
      }));
      const sum = values.reduce((s, v) => s + v.seconds, 0) || 1;
      return el(
        'div',
        {class: 'bar-row'},
        el('div', {class: 'bar-name', title: r.label}, r.label),
        el(
          'div',
          {
            class: 'track',
            role: 'img',
            'aria-label':
              `${r.label}: ` + values.map((v) => `${v.name} ${formatSeconds(v.seconds)}`).join(', '),
          },
          el(
            'div',
            {class: 'fillbar', style: `width:${(100 * r.raw.step_time_s) / longest}%`},
            values.map((v) => stepSegment(v, sum)),
          ),
        ),
        el(
          'div',
          {class: 'bar-value'},
          formatSeconds(r.raw.step_time_s),
          results.length > 1
            ? i === best
              ? el('span', {class: 'badge'}, 'fastest')
              : el('small', {}, `${(r.raw.step_time_s / results[best].raw.step_time_s).toFixed(3)} ×`)
            : null,
        ),
      );
    }),
  );
  drawStepTable();
}

function stepSegment(part, sum) {
  const share = part.seconds / sum,
    light = part.variable === 'forward';
  const node = el(
    'div',
    {
      class: 'segment' + (light ? ' light' : ''),
      style: `width:${100 * share}%;background:${partColor(part.variable)}`,
    },
    share > 0.06 ? el('span', {class: part.variable === 'pair' ? 'plate' : null}, formatShare(share)) : null,
  );
  if (part.variable === 'bubble') node.style.color = 'var(--text)';
  withTooltip(node, () => [
    el('strong', {}, part.name),
    factList([
      ['Time', formatSeconds(part.seconds)],
      ['Share', formatShare(share)],
    ]),
  ]);
  return node;
}

function drawStepTable() {
  const {results, best} = report,
    peak = (r) => Math.max(...r.raw.memory_bytes.map((m) => m.total_peak));
  const planned = results.some((r) => r.raw.tokens_per_second !== null); // a trace tells of none
  const columns = [
    {
      name: 'Schedule',
      get: (r, i) =>
        [r.label, results.length > 1 && i === best ? el('span', {class: 'badge'}, 'fastest') : null].filter(
          Boolean,
        ),
    },
    {name: 'Step', get: (r) => formatSeconds(r.raw.step_time_s)},
    {
      name: 'Against the fastest',
      get: (r) => (r.raw.step_time_s / results[best].raw.step_time_s).toFixed(3) + ' ×',
    },
    {plan: true, name: 'Throughput', unit: 'tokens/s', get: (r) => formatCount(r.raw.tokens_per_second)},
    {plan: true, name: 'Tokens', unit: 'a day', get: (r) => formatCount(r.raw.tokens_per_day)},
    {plan: true, name: 'MFU', unit: 'causal', get: (r) => formatShare(r.raw.mfu.causal)},
    {plan: true, name: 'MFU', unit: 'non-causal', get: (r) => formatShare(r.raw.mfu.non_causal)},
    {name: 'Bubble', unit: 'of the pipeline', get: (r) => formatShare(r.raw.bubble.makespan_rate)},
    {name: 'Communication', unit: 'hidden', get: (r) => formatShare(r.raw.communication.hidden_share)},
    {name: 'Communication', unit: 'exposed', get: (r) => formatSeconds(r.raw.communication.exposed_s)},
    {
      plan: true,
      name: 'Peak memory',
      unit: 'worst rank',
      get: (r) =>
        [formatBytes(peak(r)), r.raw.fits === false ? el('span', {class: 'badge over'}, 'does not fit') : null].filter(
          Boolean,
        ),
    },
    {name: 'Bound by', words: true, get: (r) => r.raw.bound_by},
  ];
  if (results.length === 1) columns.splice(2, 1);
  const parts = BREAKDOWN.filter(([key]) => results.some((r) => r.raw.breakdown_s[key] > 0));
  byId('step-table').replaceChildren(
    el(
      'div',
      {class: 'scroll'},
      table(columns.filter((c) => planned || !c.plan), results, {
        rowClass: (r) => (results.length > 1 && r === results[best] ? 'best' : null),
      }),
    ),
    el(
      'details',
      {},
      el('summary', {}, 'The bars as numbers'),
      el(
        'div',
        {class: 'scroll'},
        table(
          [
            {name: 'Schedule', get: (r) => r.label},
            ...parts.map(([key, name]) => ({name, get: (r) => formatSeconds(r.raw.breakdown_s[key] || 0)})),
          ],
          results,
        ),
      ),
    ),
  );
}
