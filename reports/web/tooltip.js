// What the pointer is over, in words. Also the facts that the panel under the timeline shows.

// "F&B  F 12 on stage 3, B 4 on stage 12"
function actionTitle(result, i) {
  const a = result.actions,
    kind = a.kind[i];
  if (kind === KIND.FB) {
    return `F micro-batch ${a.microbatch[i]} on stage ${a.stage[i]} with B micro-batch ${a.backMicrobatch[i]} on stage ${a.backStage[i]}`;
  }
  return `${ACTION_NAMES[kind]} micro-batch ${a.microbatch[i]} on stage ${a.stage[i]}`;
}

function actionFacts(result, i) {
  const a = result.actions,
    by = a.releasedBy[i];
  const facts = [
    ['Kind', `${ACTION_NAMES[a.kind[i]]}, ${ACTION_WORDS[a.kind[i]]}`],
    ['Rank', String(a.rank[i])],
    ['Start', formatNs(a.start[i])],
    ['Duration', formatNs(a.dur[i])],
  ];
  const gap = waitBefore(result, i);
  if (a.wait[i] >= 0)
    facts.push(['Waited', (gap > 0 ? formatNs(gap) + ', ' : '') + (CAUSES[a.wait[i]] || 'other')]);
  if (by >= 0 && by < a.count)
    facts.push([
      'Released by',
      `${actionTitle(result, by)}, rank ${a.rank[by]}, ended ${formatNs(a.start[by] + a.dur[by])}`,
    ]);
  else facts.push(['Released by', 'the rank being free']);
  if (a.slack)
    facts.push(['Slack', a.slack[i] > 0 ? `at least ${formatNs(a.slack[i])}` : 'none']);
  if (result.direction.includes(1))
    facts.push([
      'Direction',
      result.direction[a.microbatch[i]] ? 'last rank to first' : 'first rank to last',
    ]);
  return facts;
}

function waitBefore(result, i) {
  const a = result.actions,
    rank = a.rank[i];
  const before = i > a.offsets[rank] ? a.start[i - 1] + a.dur[i - 1] : 0;
  return Math.max(0, a.start[i] - before);
}

// Operations of an action added up by name, longest first. Busy time may exceed the action's duration, as
// lanes run side by side.
function operationTable(result, i, most) {
  const shape = result.shapes[result.actions.shape[i]];
  if (!shape || !shape.count) return null;
  const sums = new Map();
  for (let k = 0; k < shape.count; k++) {
    if (shape.again[k]) continue;
    const key = shape.name[k] + ':' + shape.lane[k];
    const sum = sums.get(key) || {
      name: result.opNames[shape.name[k]],
      kind: result.opKinds[shape.name[k]],
      lane: result.laneNames[shape.lane[k]],
      count: 0,
      time: 0,
    };
    sum.count++;
    sum.time += shape.dur[k];
    sums.set(key, sum);
  }
  const rows = [...sums.values()].sort((a, b) => b.time - a.time),
    rest = rows.length - most;
  return el(
    'table',
    {},
    el(
      'tbody',
      {},
      rows
        .slice(0, most)
        .map((r) =>
          el(
            'tr',
            {},
            el('td', {class: 'words'}, swatch(palette.fill[FILL.op + r.kind]), ' ' + r.name),
            el('td', {class: 'words'}, r.lane),
            el('td', {}, r.count + ' ×'),
            el('td', {}, formatNs(r.time)),
          ),
        ),
      rest > 0 ? el('tr', {}, el('td', {class: 'words', colspan: 4}, `and ${rest} more`)) : null,
    ),
  );
}

function tooltipFor(hit) {
  const {result} = hit,
    strong = (text) => el('strong', {}, text);
  if (hit.operation >= 0) {
    const shape = result.shapes[result.actions.shape[hit.action]],
      k = hit.operation;
    return [
      strong(result.opNames[shape.name[k]]),
      factList([
        ['Kind', OP_KIND_NAMES[result.opKinds[shape.name[k]]]],
        ['Lane', result.laneNames[shape.lane[k]]],
        ['Start', formatNs(result.actions.start[hit.action] + shape.start[k])],
        ['Duration', formatNs(shape.dur[k])],
        ['Uses', usesOf(result, shape.name[k])],
        ['Part of', actionTitle(result, hit.action)],
        ['Rank', String(hit.rank)],
      ]),
    ];
  }
  if (hit.action >= 0)
    return [
      strong(actionTitle(result, hit.action)),
      factList(actionFacts(result, hit.action)),
      operationTable(result, hit.action, 6),
    ];
  if (hit.message >= 0) {
    const m = result.messages,
      i = hit.message;
    return [
      strong(`Message of micro-batch ${m.microbatch[i]}, ${m.backward[i] ? 'backward' : 'forward'}`),
      factList([
        ['From', `rank ${m.rank[i]}, stage ${m.stage[i]}`],
        ['To', `rank ${m.to[i]}`],
        ['Start', formatNs(m.start[i])],
        ['Duration', formatNs(m.dur[i])],
      ]),
    ];
  }
  if (hit.stepOp >= 0) {
    const s = result.stepOps,
      i = hit.stepOp;
    return [
      strong(result.opNames[s.name[i]]),
      factList([
        ['Kind', OP_KIND_NAMES[result.opKinds[s.name[i]]]],
        ['Lane', result.laneNames[s.lane[i]]],
        ['Rank', String(hit.rank)],
        ['Start', formatNs(s.start[i])],
        ['Duration', formatNs(s.dur[i])],
      ]),
    ];
  }
  if (hit.gap >= 0) {
    const g = result.gaps,
      i = hit.gap,
      cause = CAUSES[g.cause[i]] || 'unknown';
    const words = (result.raw.attribution.find((c) => c.kind === cause) || {}).explain;
    return [
      strong('Bubble: ' + cause),
      factList([
        ['Rank', String(hit.rank)],
        ['Start', formatNs(g.start[i])],
        ['Duration', formatNs(g.dur[i])],
        ['Why', words],
      ]),
    ];
  }
  return null;
}
