// The panel under the timeline: the selected micro-batch, or the sums over the selected range.

function drawDetails(gantt) {
  const panel = byId('details');
  if (state.range) panel.replaceChildren(...rangePanel(gantt));
  else if (state.selection) panel.replaceChildren(...selectionPanel(gantt));
  else if (state.critical) panel.replaceChildren(...criticalPanel());
  else
    panel.replaceChildren(
      el(
        'span',
        {class: 'note'},
        'Nothing selected. Click an action to follow its micro-batch through the ranks; Shift and drag to add up a range.',
      ),
    );
}

const panelButton = (text, work) => el('button', {type: 'button', onclick: work}, text);

function selectionPanel(gantt) {
  const s = state.selection,
    result = report.results[s.result],
    i = s.action,
    microbatch = selectedMicrobatch(result, s);
  const journey = journeyOf(result, microbatch);
  return [
    el('h3', {}, `${result.label}: ${actionTitle(result, i)}`),
    el(
      'div',
      {class: 'columns'},
      factList(actionFacts(result, i)),
      factList([
        ['Micro-batch', `${microbatch}, highlighted on every rank with its messages`],
        ['Enters', formatNs(journey.start)],
        ['Leaves', formatNs(journey.end)],
        ['In flight', formatNs(journey.end - journey.start)],
        ['Computed for', `${formatNs(journey.busy)} in ${journey.count} actions`],
        ['Critical path', onCriticalPath(result, i) ? 'this action is on it' : 'this action is not on it'],
      ]),
      operationTable(result, i, 8),
    ),
    el(
      'div',
      {class: 'toolbar'},
      panelButton('Previous on rank', () => gantt.step(-1)),
      panelButton('Next on rank', () => gantt.step(1)),
      result.actions.releasedBy[i] >= 0
        ? panelButton('Go to what released it', () => gantt.select(s.result, result.actions.releasedBy[i]))
        : null,
      panelButton('Zoom to it', () => gantt.zoomToSelection()),
      panelButton('Whole micro-batch', () =>
        setWindow(
          journey.start - (journey.end - journey.start) * 0.05,
          journey.end + (journey.end - journey.start) * 0.05,
        ),
      ),
      panelButton('Clear', () => setState({selection: null})),
    ),
  ];
}

function journeyOf(result, microbatch) {
  const a = result.actions,
    journey = {start: Infinity, end: 0, busy: 0, count: 0};
  for (let i = 0; i < a.count; i++) {
    if (a.microbatch[i] !== microbatch && !(a.kind[i] === KIND.FB && a.backMicrobatch[i] === microbatch))
      continue;
    journey.start = Math.min(journey.start, a.start[i]);
    journey.end = Math.max(journey.end, a.start[i] + a.dur[i]);
    journey.busy += a.dur[i];
    journey.count++;
  }
  return journey;
}

function onCriticalPath(result, i) {
  const c = result.critical,
    a = result.actions,
    rank = a.rank[i];
  for (let k = c.offsets[rank]; k < c.offsets[rank + 1]; k++) {
    if (
      Math.min(c.start[k] + c.dur[k], a.start[i] + a.dur[i]) - Math.max(c.start[k], a.start[i]) >
      a.dur[i] / 2
    )
      return true;
  }
  return false;
}

// Time inside [from, to) by kind of action and by cause of gap, mean over ranks, in ns.
function rangeSums(result, from, to) {
  const a = result.actions,
    g = result.gaps,
    sums = {kinds: [0, 0, 0, 0, 0], causes: [0, 0, 0, 0, 0], actions: 0};
  const inside = (start, dur) =>
    Math.max(0, Math.min(start + dur, to) - Math.max(start, from)) / result.ranks;
  for (let i = 0; i < a.count; i++) {
    const t = inside(a.start[i], a.dur[i]);
    sums.kinds[a.kind[i]] += t;
    if (t > 0) sums.actions++;
  }
  for (let i = 0; i < g.count; i++)
    if (g.cause[i] >= 0) sums.causes[g.cause[i]] += inside(g.start[i], g.dur[i]);
  sums.bubble = sums.causes.reduce((x, y) => x + y, 0);
  return sums;
}

// What the critical path consists of. Its pieces follow each other, so their shares add up to the step.
function criticalPanel() {
  const rows = report.results.map((result) => {
    const sums = new Map(),
      c = result.critical;
    let total = 0;
    for (let i = 0; i < c.count; i++) {
      const name = result.criticalNames[c.what[i]] || 'other';
      sums.set(name, (sums.get(name) || 0) + c.dur[i]);
      total += c.dur[i];
    }
    return {result, sums, total};
  });
  const names = [...new Set(rows.flatMap((r) => [...r.sums.keys()]))];
  const cell = (ns, total) => (ns ? `${formatNs(ns)} (${formatShare(ns / total)})` : '–');
  return [
    el('h3', {}, 'What the critical path consists of'),
    el(
      'div',
      {class: 'scroll'},
      table(
        [
          {name: 'Schedule', get: (r) => r.result.label},
          ...names.map((name) => ({name, get: (r) => cell(r.sums.get(name), r.total)})),
          {name: 'Length', get: (r) => formatNs(r.total)},
        ],
        rows,
      ),
    ),
  ];
}

function rangePanel() {
  const [from, to] = state.range,
    rows = report.results.map((result) => ({result, sums: rangeSums(result, from, to)}));
  const used = [KIND.F, KIND.B, KIND.I, KIND.W, KIND.FB].filter((k) => rows.some((r) => r.sums.kinds[k] > 0));
  const columns = [
    {name: 'Schedule', get: (r) => r.result.label},
    {name: 'Actions', get: (r) => String(r.sums.actions)},
    ...used.map((k) => ({name: ACTION_NAMES[k], get: (r) => formatNs(r.sums.kinds[k])})),
    {name: 'Bubble', get: (r) => formatNs(r.sums.bubble)},
    {name: 'Bubble share', get: (r) => formatShare(r.sums.bubble / (to - from))},
    {
      name: 'Mostly',
      words: true,
      get: (r) => (r.sums.bubble > 0 ? CAUSES[r.sums.causes.indexOf(Math.max(...r.sums.causes))] : '–'),
    },
  ];
  return [
    el('h3', {}, `Range of ${formatNs(to - from)}, from ${formatNs(from)} to ${formatNs(to)}`),
    el('div', {class: 'scroll'}, table(columns, rows, {caption: 'Time inside the range, mean over ranks'})),
    el(
      'div',
      {class: 'toolbar'},
      panelButton('Zoom to range', () => setWindow(from, to)),
      panelButton('Clear', () => setState({range: null})),
    ),
  ];
}
