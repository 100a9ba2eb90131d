// Draws what lies over the actions: gaps by cause, the critical path, messages, the selection, the range, the
// cursor; and the frame around them: axis, headings, rank names.

function drawGaps(painter, layout, section, result, rank) {
  const g = result.gaps,
    y = rowTop(section, rank),
    right = layout.left + layout.plot;
  let drawn = layout.left;
  for (let i = g.offsets[rank]; i < g.offsets[rank + 1]; i++) {
    const from = timeToX(layout, g.start[i]),
      to = Math.min(right, timeToX(layout, g.start[i] + g.dur[i]));
    if (from > right) break;
    if (to < drawn + 0.3) continue;
    const x = Math.max(drawn, from),
      w = Math.max(to - x, 1),
      cause = g.cause[i];
    const fill = FILL.cause + cause + (state.cause >= 0 && state.cause !== cause ? FILL.count : 0);
    painter.rects.add(fill, x, y, w, section.bar);
    drawn = x + w;
    if (section.bar >= 10 && fill < FILL.count && w > CAUSES[cause].length * 6.2 + 6) {
      painter.labels.add(painter.inkFor(fill), CAUSES[cause], x + w / 2, y + section.bar / 2 + 0.5);
    }
  }
}

// A band along the foot of the rows it runs through, joined where it changes rank.
function drawCritical(ctx, layout, section, result) {
  const c = result.critical,
    right = layout.left + layout.plot,
    pieces = [];
  for (let rank = 0; rank < section.ranks; rank++) {
    const y = rowTop(section, rank) + section.bar - (section.bar > 10 ? 4 : 3);
    for (let i = c.offsets[rank]; i < c.offsets[rank + 1]; i++) {
      pieces.push({start: c.start[i], end: c.start[i] + c.dur[i], y});
    }
  }
  pieces.sort((a, b) => a.start - b.start);
  const thick = section.bar > 10 ? 4 : 3;
  const line = (color, width) => {
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.beginPath();
    pieces.forEach((p, i) => {
      const x0 = timeToX(layout, p.start),
        x1 = timeToX(layout, p.end);
      if (x1 < layout.left - 40 || x0 > right + 40) return;
      ctx.moveTo(x0, p.y + thick / 2);
      ctx.lineTo(Math.max(x1, x0 + 0.5), p.y + thick / 2);
      const next = pieces[i + 1];
      if (next && next.y !== p.y) ctx.lineTo(timeToX(layout, next.start), next.y + thick / 2);
    });
    ctx.stroke();
  };
  line(palette.row, thick + 2);
  line(palette.critical, thick);
}

// Messages as slanted lines from sender to receiver. Beyond a few thousand they would be a fog: then only
// those of the selected micro-batch.
function drawMessages(ctx, layout, section, index, result, emphasis, everything) {
  const m = result.messages,
    right = layout.left + layout.plot,
    middle = section.bar / 2;
  const chosen = emphasis.microbatch,
    lines = [[], []];
  for (let rank = 0; rank < section.ranks; rank++) {
    for (let i = m.offsets[rank]; i < m.offsets[rank + 1]; i++) {
      if (chosen !== undefined ? m.microbatch[i] !== chosen : !everything) continue;
      const x0 = timeToX(layout, m.start[i]),
        x1 = timeToX(layout, m.start[i] + m.dur[i]);
      if (x1 < layout.left || x0 > right) continue;
      lines[m.backward[i] ? 1 : 0].push(
        x0,
        rowTop(section, rank) + middle,
        x1,
        rowTop(section, m.to[i]) + middle,
      );
    }
  }
  const count = (lines[0].length + lines[1].length) / 4;
  if (!count) return;
  const stroke = (list, color, width) => {
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.beginPath();
    for (let k = 0; k < list.length; k += 4) {
      ctx.moveTo(list[k], list[k + 1]);
      ctx.lineTo(list[k + 2], list[k + 3]);
    }
    ctx.stroke();
  };
  ctx.globalAlpha = chosen !== undefined || count < 600 ? 1 : 0.45;
  const both = lines[0].concat(lines[1]);
  if (count < 150) stroke(both, palette.row, 3.2);
  stroke(lines[0], palette.text, 1.3);
  ctx.setLineDash([4, 3]); // backward messages are dashed
  stroke(lines[1], palette.text, 1.3);
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

// Every action of the micro-batch gets a line around it, so that it is found without telling tints apart.
function outlineMicrobatch(ctx, layout, section, result, microbatch) {
  const a = result.actions,
    half = Math.round(section.bar / 2);
  ctx.strokeStyle = palette.selectLine;
  ctx.lineWidth = 1.5;
  for (let i = 0; i < a.count; i++) {
    const front = a.microbatch[i] === microbatch,
      back = a.kind[i] === KIND.FB && a.backMicrobatch[i] === microbatch;
    if (!front && !back) continue;
    const x0 = timeToX(layout, a.start[i]),
      x1 = timeToX(layout, a.start[i] + a.dur[i]);
    if (x1 < layout.left - 2 || x0 > layout.left + layout.plot + 2) continue;
    const y = rowTop(section, a.rank[i]) + (front ? 0 : half),
      pair = a.kind[i] === KIND.FB;
    ctx.strokeRect(
      x0 - 0.5,
      y - 0.5,
      Math.max(x1 - x0, 2),
      (pair ? (front ? half : section.bar - half) : section.bar) + 1,
    );
  }
}

function drawSelection(ctx, layout, section, result) {
  const s = state.selection,
    a = result.actions,
    rank = a.rank[s.action];
  if (!state.gaps) outlineMicrobatch(ctx, layout, section, result, selectedMicrobatch(result, s));
  const x0 = Math.max(layout.left, timeToX(layout, a.start[s.action]));
  const x1 = Math.min(layout.left + layout.plot, timeToX(layout, a.start[s.action] + a.dur[s.action]));
  if (x1 < x0) return;
  const y = rowTop(section, rank),
    w = Math.max(x1 - x0, 3);
  for (const [color, width, out] of [
    [palette.selectLine, 4.5, 1],
    [palette.selected, 2.5, 1],
  ]) {
    ctx.strokeStyle = color;
    ctx.lineWidth = width;
    ctx.strokeRect(x0 - out, y - out, w + 2 * out, section.bar + 2 * out);
  }
}

function drawRange(ctx, layout, top, bottom) {
  if (!state.range) return;
  const x0 = clamp(timeToX(layout, state.range[0]), layout.left, layout.left + layout.plot);
  const x1 = clamp(timeToX(layout, state.range[1]), layout.left, layout.left + layout.plot);
  if (x1 <= x0) return;
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = palette.accent;
  ctx.fillRect(x0, top, x1 - x0, bottom - top);
  ctx.globalAlpha = 1;
  ctx.fillRect(x0, top, 1.5, bottom - top);
  ctx.fillRect(x1 - 1.5, top, 1.5, bottom - top);
}

function drawAxis(ctx, layout, y) {
  const {step, ticks} = niceTicks(state.start, state.end, layout.plot / 110);
  const format = axisFormat(step, state.end);
  ctx.fillStyle = palette.surface;
  ctx.fillRect(0, y, layout.width, AXIS_HEIGHT);
  ctx.fillStyle = palette.line;
  ctx.fillRect(0, y + AXIS_HEIGHT - 1, layout.width, 1);
  ctx.fillStyle = palette.muted;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  ctx.font = CANVAS_FONT(11);
  ctx.fillText(`time, ${format.unit}`, 12, y + AXIS_HEIGHT / 2);
  for (const t of ticks) {
    const x = timeToX(layout, t),
      text = format.text(t),
      half = ctx.measureText(text).width / 2;
    ctx.fillRect(x, y + AXIS_HEIGHT - 6, 1, 6);
    if (x + half > layout.width - 2) continue;
    ctx.textAlign = x - half < layout.left - 4 ? 'left' : 'center';
    ctx.fillText(text, x, y + AXIS_HEIGHT / 2 - 1);
  }
  return ticks;
}

function drawHeading(ctx, layout, section, result, best) {
  const y = section.head + HEAD_HEIGHT / 2 + 2,
    raw = result.raw;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.font = CANVAS_FONT(14, 650);
  ctx.fillStyle = palette.text;
  const label = clipped(ctx, result.label, layout.width * 0.45);
  ctx.fillText(label, 12, y);
  const x = 12 + ctx.measureText(label).width + 14;
  ctx.font = CANVAS_FONT(12.5);
  ctx.fillStyle = palette.muted;
  const ratio = raw.step_time_s / report.results[report.best].raw.step_time_s;
  const marks = [`step ${formatSeconds(raw.step_time_s)}`, `bubble ${formatShare(raw.bubble.makespan_rate)}`];
  if (report.results.length > 1) marks.push(best ? 'fastest' : `${ratio.toFixed(3)} × the fastest`);
  ctx.fillText(clipped(ctx, marks.join('   ·   '), layout.width - x - 8), x, y);
}

function clipped(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  let keep = Math.min(text.length, 80);
  while (keep > 1 && ctx.measureText(text.slice(0, keep) + '…').width > room) keep--;
  return text.slice(0, keep) + '…';
}

function drawGutter(ctx, layout, section, result, first, last) {
  ctx.textBaseline = 'middle';
  ctx.fillStyle = palette.muted;
  const every = Math.ceil(12 / section.pitch),
    narrow = layout.left < 80;
  for (let rank = first; rank < last; rank++) {
    const y = rowTop(section, rank) + section.bar / 2;
    ctx.textAlign = 'right';
    if (rank % every === 0) {
      ctx.font = CANVAS_FONT(layout.expanded ? 12 : 11, layout.expanded ? 600 : 400);
      ctx.fillStyle = layout.expanded ? palette.text : palette.muted;
      ctx.fillText((narrow ? 'r ' : 'rank ') + rank, layout.left - 10, y);
    }
    if (!layout.expanded) continue;
    ctx.font = CANVAS_FONT(10.5);
    ctx.fillStyle = palette.muted;
    result.lanes.forEach((lane, k) => {
      const name = result.laneNames[lane];
      ctx.fillText(
        narrow ? name.slice(0, 7) : clipped(ctx, name, layout.left - 14),
        layout.left - 10,
        laneTop(section, rank, k) + LANE_HEIGHT / 2,
      );
    });
  }
}

const CANVAS_FONT = (size, weight) =>
  `${weight || 400} ${size}px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif`;
