// Level of detail inside an action. Drawing every operation of every action costs 100 k rectangles that nobody
// can see; so each shape keeps, per lane, three lists of segments: one block, blocks of about 1/16 of the
// action, and every operation. A segment takes the kind that fills most of it.

const LEVEL_BLOCK = 0,
  LEVEL_COARSE = 1,
  LEVEL_FULL = 2;

// Pixels an action must be wide for the next finer level.
const levelFor = (pixels) => (pixels < 10 ? LEVEL_BLOCK : pixels < 70 ? LEVEL_COARSE : LEVEL_FULL);

// Joins operations (sorted by start) that lie within `grain` of the start of the segment.
function joined(shape, kinds, members, grain) {
  const segments = [];
  let open = null;
  const close = () => {
    if (!open) return;
    let kind = 0;
    for (let k = 1; k < open.weight.length; k++) if (open.weight[k] > open.weight[kind]) kind = k;
    segments.push({start: open.start, end: open.end, kind, name: -1});
    open = null;
  };
  for (const i of members) {
    const start = shape.start[i],
      end = start + shape.dur[i];
    if (open && (start - open.end > grain || end - open.start > grain)) close();
    if (!open) open = {start, end, weight: new Float64Array(9)};
    open.end = Math.max(open.end, end);
    open.weight[kinds[shape.name[i]]] += shape.dur[i];
  }
  close();
  return segments;
}

function packed(segments) {
  return {
    count: segments.length,
    start: numbers(segments.map((s) => s.start)),
    end: numbers(segments.map((s) => s.end)),
    kind: integers(segments.map((s) => s.kind)),
    name: integers(segments.map((s) => s.name)),
  };
}

// levels[lane][level]; made once a shape, on first use.
function shapeLevels(result, shape) {
  if (shape.levels) return shape.levels;
  shape.levels = result.laneNames.map((_, lane) => {
    const members = [];
    for (let i = 0; i < shape.count; i++) if (shape.lane[i] === lane) members.push(i);
    members.sort((a, b) => shape.start[a] - shape.start[b]);
    const full = members.map((i) => ({
      start: shape.start[i],
      end: shape.start[i] + shape.dur[i],
      kind: result.opKinds[shape.name[i]],
      name: shape.name[i],
    }));
    return [
      packed(joined(shape, result.opKinds, members, Infinity)),
      packed(joined(shape, result.opKinds, members, shape.extent / 16)),
      packed(full),
    ];
  });
  return shape.levels;
}
