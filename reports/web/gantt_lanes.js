// Draws the lanes of an expanded rank: the operations inside each action, the step's operations, messages.

function drawLanes(painter, layout, section, result, rank, emphasis) {
  const a = result.actions,
    scale = layout.plot / (state.end - state.start);
  const right = layout.left + layout.plot,
    end = a.offsets[rank + 1];
  const first = lowerBound(a.start, state.start - a.reach, a.offsets[rank], end);
  result.lanes.forEach((lane, index) => {
    const y = laneTop(section, rank, index);
    let drawn = layout.left - 1;
    for (let i = first; i < end; i++) {
      const origin = layout.left + (a.start[i] - state.start) * scale;
      if (origin > right) break;
      const shape = result.shapes[a.shape[i]];
      if (!shape) continue;
      const faded =
        emphasis.fade(a.microbatch[i]) && (a.kind[i] !== KIND.FB || emphasis.fade(a.backMicrobatch[i]));
      const level = painter.forceFull ? LEVEL_FULL : levelFor(shape.extent * scale);
      drawn = drawSegments(
        painter,
        layout,
        result,
        shapeLevels(result, shape)[lane][level],
        origin,
        scale,
        y,
        drawn,
        faded,
        level,
      );
    }
    drawLaneStepOps(painter, layout, result, rank, lane, y);
    if (lane === result.messageLane) drawLaneMessages(painter, layout, result, rank, y, emphasis);
  });
}

function drawSegments(painter, layout, result, segments, origin, scale, y, drawn, faded, level) {
  const right = layout.left + layout.plot,
    shift = faded ? FILL.count : 0;
  for (let k = 0; k < segments.count; k++) {
    const from = origin + segments.start[k] * scale;
    if (from > right) break;
    const to = Math.min(right, origin + segments.end[k] * scale);
    if (to < drawn + 0.5 || to < layout.left) continue;
    const x = Math.max(drawn, from, layout.left),
      full = Math.max(to - x, 0.7);
    const w = level === LEVEL_FULL && full > 3 ? full - 0.7 : full;
    const fill = FILL.op + segments.kind[k] + shift;
    painter.rects.extend(fill, x, y, w, LANE_HEIGHT);
    drawn = x + full;
    if (w > 24 && segments.name[k] >= 0) laneLabel(painter, result.opNames[segments.name[k]], x, y, w, fill);
  }
  return drawn;
}

// The whole name, or its start: better than nothing for a long one.
function laneLabel(painter, name, x, y, w, fill) {
  const room = Math.floor((w - 4) / painter.digit);
  if (room < 4) return;
  const text = name.length <= room ? name : name.slice(0, room - 1) + '…';
  painter.labels.add(painter.inkFor(fill), text, x + w / 2, y + LANE_HEIGHT / 2 + 0.5);
}

function drawLaneStepOps(painter, layout, result, rank, lane, y) {
  const s = result.stepOps,
    right = layout.left + layout.plot;
  for (let i = s.offsets[rank]; i < s.offsets[rank + 1]; i++) {
    if (s.lane[i] !== lane) continue;
    const x0 = Math.max(layout.left, timeToX(layout, s.start[i])),
      x1 = Math.min(right, timeToX(layout, s.start[i] + s.dur[i]));
    if (x1 <= x0) continue;
    const fill = FILL.op + result.opKinds[s.name[i]];
    painter.rects.add(fill, x0, y, x1 - x0, LANE_HEIGHT);
    laneLabel(painter, result.opNames[s.name[i]], x0, y, x1 - x0, fill);
  }
}

function drawLaneMessages(painter, layout, result, rank, y, emphasis) {
  const m = result.messages,
    right = layout.left + layout.plot;
  let drawn = layout.left;
  for (let i = m.offsets[rank]; i < m.offsets[rank + 1]; i++) {
    const from = timeToX(layout, m.start[i]);
    if (from > right) break;
    const to = Math.min(right, timeToX(layout, m.start[i] + m.dur[i]));
    if (to < drawn + 0.5) continue;
    const x = Math.max(drawn, from),
      fill = FILL.op + 5 + (emphasis.fade(m.microbatch[i]) ? FILL.count : 0);
    painter.rects.add(fill, x, y, Math.max(to - x, 0.8), LANE_HEIGHT);
    if (to - x > 30)
      laneLabel(
        painter,
        `${m.backward[i] ? 'B' : 'F'}${m.microbatch[i]} → rank ${m.to[i]}`,
        x,
        y,
        to - x,
        fill,
      );
    drawn = to;
  }
}
