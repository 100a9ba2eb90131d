// Predictions held against runs: errors by schedule, and where the two part.

const signed = (seconds) => (seconds > 0 ? '+' : seconds < 0 ? '−' : '') + formatSeconds(Math.abs(seconds));

function validationColumns() {
  return [
    {name: 'Schedule', get: (v) => v.schedule},
    {name: 'Predicted', get: (v) => formatSeconds(v.predicted_s)},
    {name: 'Measured', get: (v) => formatSeconds(v.measured_s)},
    {name: 'Error', get: (v) => (v.error > 0 ? '+' : '') + formatShare(v.error)},
    {name: 'Noise', get: (v) => formatShare(v.noise)},
    {name: 'Others', unit: 'of the processors', get: (v) => formatShare(v.others)},
    {name: 'Last rank', get: (v) => String(v.last_rank)},
    {name: 'Longer', unit: 'its actions', get: (v) => signed(v.longer_s)},
    {name: 'Waited', unit: 'between them', get: (v) => signed(v.waited_s)},
    {name: 'After', unit: "the step's end", get: (v) => signed(v.after_s)},
  ];
}

function drawValidation() {
  const list = report.raw.validation || [];
  showSection('validation', list.length > 0);
  if (!list.length) return;
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
      'Error: of the predicted step against the median of the measured ones. Noise: half the distance between ' +
        'the quartiles of the measured steps. Others: what other processes used of the processors meanwhile.',
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
