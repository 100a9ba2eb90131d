// From a point on the canvas to what is drawn there.

// {result, rank, part: 'strip' | lane number, time, action, operation, gap, message, stepOp, backward} or null.
function pickAt(layout, x, y) {
  if (x < layout.left || x > layout.left + layout.plot) return null;
  const index = layout.sections.findIndex((s) => y >= s.top && y < s.bottom);
  if (index < 0) return null;
  const section = layout.sections[index],
    result = report.results[index];
  const rank = Math.floor((y - section.top) / section.pitch),
    within = y - rowTop(section, rank);
  const hit = {
    index,
    result,
    rank,
    part: 'strip',
    time: xToTime(layout, x),
    action: -1,
    operation: -1,
    gap: -1,
    message: -1,
    stepOp: -1,
  };
  const slack = (2 * (state.end - state.start)) / layout.plot;
  if (layout.expanded && within > STRIP_HEIGHT + 1) {
    const k = Math.floor((within - STRIP_HEIGHT - 2) / (LANE_HEIGHT + LANE_GAP));
    if (k >= result.lanes.length) return null;
    hit.part = result.lanes[Math.max(0, k)];
    pickOperation(hit, slack);
    if (hit.operation < 0 && hit.part === result.messageLane)
      hit.message = pickColumn(result.messages, rank, hit.time, slack);
  } else {
    hit.action = actionAt(result, rank, hit.time, slack);
    hit.backward = hit.action >= 0 && result.actions.kind[hit.action] === KIND.FB && within > section.bar / 2;
    if (hit.action < 0) hit.gap = pickColumn(result.gaps, rank, hit.time, slack);
  }
  if (hit.action < 0) {
    hit.stepOp = pickColumn(
      result.stepOps,
      rank,
      hit.time,
      slack,
      (i) => hit.part === 'strip' || result.stepOps.lane[i] === hit.part,
    );
  }
  return hit;
}

// The action that covers the time; failing that the nearest within the slack, so that thin ones can be hit.
function actionAt(result, rank, time, slack) {
  const a = result.actions,
    end = a.offsets[rank + 1];
  let best = -1,
    distance = slack;
  for (
    let i = lowerBound(a.start, time - a.reach, a.offsets[rank], end);
    i < end && a.start[i] <= time + slack;
    i++
  ) {
    const away = Math.max(a.start[i] - time, time - a.start[i] - a.dur[i], 0);
    if (away === 0) return i;
    if (away < distance) [best, distance] = [i, away];
  }
  return best;
}

function pickOperation(hit, slack) {
  const a = hit.result.actions,
    end = a.offsets[hit.rank + 1];
  let distance = slack;
  for (
    let i = lowerBound(a.start, hit.time - a.reach, a.offsets[hit.rank], end);
    i < end && a.start[i] <= hit.time + slack;
    i++
  ) {
    const shape = hit.result.shapes[a.shape[i]];
    for (let k = 0; shape && k < shape.count; k++) {
      if (shape.lane[k] !== hit.part) continue;
      const start = a.start[i] + shape.start[k];
      const away = Math.max(start - hit.time, hit.time - start - shape.dur[k], 0);
      if (away < distance || away === 0) {
        [hit.action, hit.operation, distance] = [i, k, away];
        if (away === 0) return;
      }
    }
  }
}

function pickColumn(c, rank, time, slack, accept) {
  for (let i = c.offsets[rank]; i < c.offsets[rank + 1] && c.start[i] <= time + slack; i++) {
    if (c.start[i] + c.dur[i] >= time - slack && (!accept || accept(i))) return i;
  }
  return -1;
}

// The action nearest in time on a rank, for moving with the arrow keys.
function nearestAction(result, rank, time) {
  const a = result.actions,
    from = a.offsets[rank],
    end = a.offsets[rank + 1];
  if (from === end) return -1;
  const at = lowerBound(a.start, time, from, end);
  if (at === from) return from;
  return at < end && a.start[at] - time < time - a.start[at - 1] ? at : at - 1;
}
