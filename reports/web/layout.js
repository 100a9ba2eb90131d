// Where everything stands vertically. Compact: one row a rank. Expanded: a strip for the action and a row for
// each lane. All schedules share the horizontal axis.

const AXIS_HEIGHT = 26,
  HEAD_HEIGHT = 34,
  SECTION_GAP = 10;
const STRIP_HEIGHT = 28,
  LANE_HEIGHT = 14,
  LANE_GAP = 1,
  RANK_GAP = 8;

// Rows as tall as fit a comfortable picture, not so thin that a rank cannot be told from its neighbour.
function compactRowHeight(results) {
  const rows = results.reduce((n, r) => n + r.ranks, 0);
  const room =
    clamp(innerHeight * 0.82, 560, 900) - AXIS_HEIGHT - results.length * (HEAD_HEIGHT + SECTION_GAP);
  return clamp(Math.floor(room / rows), 8, 26);
}

function gutterWidth(width) {
  return width < 700 ? 62 : 102;
}

function makeLayout(results, expanded, width) {
  const gutter = gutterWidth(width);
  const layout = {expanded, sections: [], left: gutter, width, plot: Math.max(10, width - gutter - 12)};
  const compact = compactRowHeight(results);
  let y = AXIS_HEIGHT;
  for (const result of results) {
    const pitch = expanded
      ? STRIP_HEIGHT + result.lanes.length * (LANE_HEIGHT + LANE_GAP) + RANK_GAP
      : compact;
    const bar = expanded ? STRIP_HEIGHT : compact - (compact > 10 ? 2 : 1);
    const section = {head: y, top: y + HEAD_HEIGHT, pitch, bar, ranks: result.ranks};
    section.bottom = section.top + pitch * result.ranks;
    layout.sections.push(section);
    y = section.bottom + SECTION_GAP;
  }
  layout.height = y;
  return layout;
}

const rowTop = (section, rank) => section.top + rank * section.pitch;
const laneTop = (section, rank, index) =>
  rowTop(section, rank) + STRIP_HEIGHT + 2 + index * (LANE_HEIGHT + LANE_GAP);

const timeToX = (layout, ns) => layout.left + ((ns - state.start) / (state.end - state.start)) * layout.plot;
const xToTime = (layout, x) => state.start + ((x - layout.left) / layout.plot) * (state.end - state.start);

// Lanes open when a typical action is wide enough for its operations to be seen. They close a little later
// than they open, so that a view at the threshold does not flicker.
function wantsLanes(results, width, now) {
  if (state.lanes !== 'auto') return state.lanes === 'on';
  if (!results.some((r) => r.shapes.some((s) => s.count))) return false;
  const perNs = (width - gutterWidth(width)) / (state.end - state.start);
  return typicalAction(results) * perNs > (now ? 130 : 160);
}

function typicalAction(results) {
  if (!results.typical) {
    const all = results.flatMap((r) => Array.from(r.actions.dur)).sort((a, b) => a - b);
    results.typical = all.length ? all[all.length >> 1] : 1;
  }
  return results.typical;
}
