// Tables: by rank, assumptions; and the explanations under the charts.

function busySeconds(result) {
  const busy = new Float64Array(result.ranks),
    a = result.actions;
  for (let i = 0; i < a.count; i++) busy[a.rank[i]] += a.dur[i] / 1e9;
  return busy;
}

function drawRankTables() {
  byId('rank-tables').replaceChildren(
    ...report.results.map((r, i) => {
      const busy = busySeconds(r),
        gib = (key) => (row) => formatGib(row.m[key]);
      const known = r.raw.memory_bytes.length > 0;
      const rows = Array.from({length: r.ranks}, (_, rank) => ({rank, m: r.raw.memory_bytes[rank]}));
      const columns = [
        {name: 'Rank', get: (row) => String(row.rank)},
        {name: 'In actions', get: (row) => formatSeconds(busy[row.rank])},
        {name: 'Bubble', get: (row) => formatSeconds(r.raw.bubble.per_rank_s[row.rank])},
        {
          name: 'Bubble',
          unit: 'of the step',
          get: (row) => formatShare(r.raw.bubble.per_rank_s[row.rank] / r.raw.step_time_s),
        },
      ];
      const memory = [
        {name: 'Parameters', unit: 'GiB', get: gib('parameters')},
        {name: 'Gradients', unit: 'GiB', get: gib('gradients')},
        {name: 'Optimizer', unit: 'GiB', get: gib('optimizer')},
        {name: 'Activations', unit: 'GiB, peak', get: gib('activations_peak')},
        {name: 'Buffers', unit: 'GiB', get: gib('buffers')},
        {name: 'Total', unit: 'GiB, peak', get: gib('total_peak')},
        {
          name: 'Left',
          unit: 'GiB to the limit',
          get: (row) => (row.m.limit ? formatGib(row.m.limit - row.m.total_peak) : '–'),
        },
      ];
      return el(
        'details',
        report.results.length === 1 && i === 0 ? {open: true} : {},
        el('summary', {}, `${r.label}: ${r.ranks} ${r.ranks === 1 ? 'rank' : 'ranks'}`),
        el('div', {class: 'scroll'}, table(known ? [...columns, ...memory] : columns, rows)),
      );
    }),
  );
}

// A bar for each resource, on the scale of the largest gain.
function drawSensitivities() {
  const list = report.raw.sensitivities || [];
  showSection('sensitivity', list.length > 0);
  const most = Math.max(...list.map((s) => s.gain), 1e-9);
  const bar = (s) =>
    el('span', {class: 'gain', style: `width:${Math.max(0, s.gain / most) * 100}%`}, '');
  byId('sensitivity-table').replaceChildren(
    table(
      [
        {name: 'A tenth more', get: (s) => s.resource},
        {name: 'Gain', unit: 'of the step', get: (s) => formatShare(s.gain)},
        {name: '', words: true, get: (s) => el('span', {class: 'gain-track'}, bar(s))},
        {name: 'Step', get: (s) => formatSeconds(s.step_time_s)},
        {name: 'Change', words: true, get: (s) => s.change},
      ],
      list,
      {plain: true},
    ),
  );
}

function drawAssumptions() {
  showSection('assumptions', report.raw.assumptions.length > 0);
  byId('assumption-table').replaceChildren(
    table(
      [
        {name: 'Assumption', get: (a) => a.name},
        {name: 'Value', words: true, get: (a) => a.value},
        {name: 'Source', words: true, get: (a) => a.source},
      ],
      report.raw.assumptions,
      {plain: true},
    ),
  );
}

function drawExplanations() {
  explain(
    'step-how',
    [
      'Each bar is one step, all on one scale. The parts are means over the ranks and add up to the step: ',
      code(
        'step = forward + input gradient + weight gradient + overlapped + exposed communication + optimizer + bubble',
      ),
      '.',
    ],
    [
      'An overlapped pair runs the forward of one micro-batch and the backward of another at once, so that the communication of one hides behind the computation of the other.',
    ],
    [
      code('MFU = FLOPs the model needs for a step / (step time × GPUs × peak)'),
      '. Causal counts half of the attention matrix, non-causal all of it. Recomputation counts in neither.',
    ],
    [
      code('hidden = (dispatch and combine beside computation + messages no rank waits for) / all of them'),
      ', in the steady part: while a rank runs overlapped pairs, or, where it has none, from its first backward to its last forward. Exposed communication is what a rank waits for inside its actions and at the step’s end.',
    ],
  );
  explain(
    'gantt-how',
    [
      'One row is one rank, all schedules share the time axis, and the vertical line ends the step. Letters: F forward, B whole backward, I input gradient, W weight gradient; the number is the micro-batch. A bar of two colours is an overlapped pair, F above and B below. Lighter colours travel from the last rank to the first.',
    ],
    [
      'Grey is the bubble: no action runs. Zoom in until the rows open, and each lane shows the operations inside the actions. Far out, operations are merged into blocks that take the colour of the kind that fills most of them.',
    ],
    [
      'The critical path is the chain of actions and messages that sets the step: each link started the moment the one before it ended. Shortening anything else leaves the step as it is.',
    ],
    [
      code('slack = min over what follows of (its start − own end + its slack)'),
      ': how much later an action may run without the step ending later, were all durations to stay; at least that.',
    ],
    ['Times are kept to a nanosecond and shown to four digits. '],
    ['In the range sums, ', code('bubble share = gaps inside the range / (range × ranks)'), '.'],
  );
  explain('sensitivity-how', [
    'The step simulated again with one change at a time: ',
    code('gain = 1 − step time with the change / step time'),
    '. What is hidden behind something else gains nothing, and gains do not add up.',
  ]);
  explain(
    'bubble-how',
    [
      code('gap = start of the action − end of the action before it on the rank'),
      '. Seconds are means over the ranks, and the shares add up to 100%.',
    ],
    [
      'Warm-up: gaps up to the rank’s first backward work. Drain: gaps after its last forward work. In between, first imbalance: what the rank waits because another has more work (',
      code('(work a micro-batch of the slowest rank − its own) × its micro-batches'),
      '), spread over its gaps in proportion. Of the rest, communication: the awaited message was on its way; dependency: the awaited action had not ended.',
    ],
  );
  explain(
    'memory-how',
    [
      'The curves show parameters, gradients, optimizer state and buffers, plus the activations held at each moment: a forward adds them, the backward (or the weight gradient, where it is split off) frees them.',
    ],
    [
      code('peak = parameters + gradients + optimizer state + buffers + max over time of activations'),
      '. Thin lines are the other ranks. Click a column to follow its rank.',
    ],
  );
}
