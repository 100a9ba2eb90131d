// The report's data as typed arrays with the indexes that drawing and picking need.

const KIND = {F: 0, I: 1, W: 2, B: 3, FB: 4};

const numbers = (list) => Float64Array.from(list || []);
const integers = (list) => Int32Array.from(list || []);

// Where each rank's rows begin in columns sorted by rank; one more entry than ranks.
function rankOffsets(rank, ranks) {
  const offsets = new Int32Array(ranks + 1);
  for (const r of rank) offsets[r + 1]++;
  for (let r = 0; r < ranks; r++) offsets[r + 1] += offsets[r];
  return offsets;
}

// Columns sorted by rank, then start, whatever order they came in.
function sortedByRank(columns, ranks) {
  const order = Array.from(columns.rank.keys()).sort(
    (a, b) => columns.rank[a] - columns.rank[b] || columns.start[a] - columns.start[b],
  );
  const sorted = {count: order.length, offsets: rankOffsets(columns.rank, ranks)};
  for (const [name, list] of Object.entries(columns)) sorted[name] = order.map((i) => list[i]);
  for (const name of ['start', 'dur']) sorted[name] = numbers(sorted[name]);
  return sorted;
}

// An operation that goes over the network and NVLink at once stands on the lanes of both. `drawn` says for each
// name of an operation on which lanes, where not on its own.
function lanesOf(t) {
  const names = t.lanes.slice(),
    communication = t.lanes.indexOf('communication'),
    rows = (t.resources && t.resources.rows) || [];
  const media = [
    ['NIC out', 'network (NIC)'],
    ['NVLink', 'NVLink'],
  ]
    .map(([row, name]) => ({row: rows.findIndex((r) => r.name === row), name}))
    .filter((m) => m.row >= 0)
    .map((m) => ({...m, lane: names.push(m.name) - 1}));
  const drawn = t.op_names.map((_, op) =>
    media.filter((m) => t.resources.op_percent[op][m.row] > 0).map((m) => m.lane),
  );
  return {names, communication, drawn};
}

function decodeShape(packed, lanes) {
  const flat = [];
  for (let i = 0; i < packed.length; i += 4) {
    const [lane, name, start, dur] = packed.slice(i, i + 4),
      on = lane === lanes.communication && lanes.drawn[name].length ? lanes.drawn[name] : [lane];
    on.forEach((l, k) => flat.push(l, name, start, dur, k));
  }
  const count = flat.length / 5;
  const shape = {
    count,
    lane: new Uint8Array(count),
    name: new Uint16Array(count),
    start: new Float64Array(count),
    dur: new Float64Array(count),
    again: new Uint8Array(count), // 1: the same operation on another lane
    extent: 0,
    levels: null,
  };
  for (let i = 0; i < count; i++) {
    shape.lane[i] = flat[5 * i];
    shape.name[i] = flat[5 * i + 1];
    shape.start[i] = flat[5 * i + 2];
    shape.dur[i] = flat[5 * i + 3];
    shape.again[i] = flat[5 * i + 4] > 0 ? 1 : 0;
    shape.extent = Math.max(shape.extent, shape.start[i] + shape.dur[i]);
  }
  return shape;
}

function decodeActions(raw, ranks, shapes) {
  const a = {
    count: raw.rank.length,
    rank: integers(raw.rank),
    start: numbers(raw.start_ns),
    dur: numbers(raw.dur_ns),
    kind: integers(raw.kind),
    stage: integers(raw.stage),
    microbatch: integers(raw.microbatch),
    backStage: integers(raw.backward_stage),
    backMicrobatch: integers(raw.backward_microbatch),
    shape: integers(raw.shape),
    wait: integers(raw.wait),
    releasedBy: integers(raw.released_by),
    slack: raw.slack_ns ? numbers(raw.slack_ns) : null,
  };
  a.offsets = rankOffsets(a.rank, ranks);
  // The longest an action reaches, so that a binary search by start can find all that overlap a time.
  a.reach = 0;
  for (let i = 0; i < a.count; i++) {
    const shape = shapes[a.shape[i]];
    a.reach = Math.max(a.reach, a.dur[i], shape ? shape.extent : 0);
  }
  return a;
}

// Direction 1: micro-batches whose first stage is on a higher rank than their last (the second half of a
// bidirectional schedule). Returns one flag per micro-batch.
function directions(a) {
  const lastStage = a.stage.reduce((m, s) => Math.max(m, s), 0);
  const first = new Map(),
    last = new Map();
  for (let i = 0; i < a.count; i++) {
    if (a.kind[i] !== KIND.F && a.kind[i] !== KIND.FB) continue;
    if (a.stage[i] === 0) first.set(a.microbatch[i], a.rank[i]);
    if (a.stage[i] === lastStage) last.set(a.microbatch[i], a.rank[i]);
  }
  const most = a.microbatch.reduce((m, x) => Math.max(m, x), -1);
  const flags = new Uint8Array(most + 1);
  for (const [m, rank] of first) if (last.has(m) && last.get(m) < rank) flags[m] = 1;
  return flags;
}

function decodeTimeline(t) {
  const lanes = lanesOf(t),
    shapes = (t.shapes || []).map((flat) => decodeShape(flat, lanes));
  const actions = decodeActions(t.actions, t.ranks, shapes);
  const m = t.messages,
    s = t.step_ops,
    g = t.gaps,
    c = t.critical_path;
  const result = {
    ranks: t.ranks,
    end: t.end_ns,
    laneNames: lanes.names,
    opNames: t.op_names,
    opKinds: t.op_kinds,
    shapes,
    actions,
    direction: directions(actions),
    messages: sortedByRank(
      {
        rank: m.from,
        to: m.to,
        start: m.start_ns,
        dur: m.dur_ns,
        stage: m.stage,
        microbatch: m.microbatch,
        backward: m.backward,
      },
      t.ranks,
    ),
    stepOps: sortedByRank(
      {rank: s.rank, lane: s.lane, name: s.op_name, start: s.start_ns, dur: s.dur_ns},
      t.ranks,
    ),
    gaps: sortedByRank(
      {
        rank: g.rank,
        start: g.start_ns,
        dur: g.dur_ns,
        cause: g.cause.map((k) => CAUSES.indexOf(t.gap_causes[k])),
      },
      t.ranks,
    ),
    critical: sortedByRank({rank: c.rank, start: c.start_ns, dur: c.dur_ns, what: c.what}, t.ranks),
    criticalNames: c.names,
    memory: t.memory.rank.map((rank, i) => ({
      rank,
      time: numbers(t.memory.time_ns[i]),
      bytes: numbers(t.memory.bytes[i]),
    })),
  };
  // Lanes that hold anything; messages stand on the pipeline lane unless the operations already do.
  const used = new Set(s.lane);
  for (const shape of shapes) shape.lane.forEach((lane) => used.add(lane));
  const pipeline = t.lanes.indexOf('pipeline');
  result.messageLane = pipeline >= 0 && !used.has(pipeline) && result.messages.count ? pipeline : -1;
  if (result.messageLane >= 0) used.add(pipeline);
  // The network's lanes next to the rest of communication.
  const place = (lane) => (lane >= t.lanes.length ? lanes.communication + lane / 100 : lane);
  result.lanes = [...used].sort((a, b) => place(a) - place(b));
  result.resources = t.resources && t.resources.rows.length ? t.resources : null;
  return result;
}

function decodeReport(raw) {
  if (raw.format !== 'pipescope-report/1')
    throw new Error(`data format is ${JSON.stringify(raw.format)}, expected "pipescope-report/1"`);
  const results = raw.results.map((r) => ({
    ...decodeTimeline(r.timeline),
    raw: r,
    label: r.label || r.schedule,
  }));
  if (!results.length) throw new Error('the report holds no result');
  // The fastest of those that fit in memory; of all where none does.
  const fits = (r) => r.raw.fits !== false;
  const better = (a, b) => (fits(a) === fits(b) ? a.raw.step_time_s < b.raw.step_time_s : fits(a));
  const best = results.reduce((b, r, i) => (better(r, results[b]) ? i : b), 0);
  return {raw, results, best};
}

// First index in [from, to) with list[index] >= value.
function lowerBound(list, value, from, to) {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (list[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
