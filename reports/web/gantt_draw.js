// Draws the actions. Rectangles are gathered by colour and filled colour by colour, because changing the fill
// costs more than a rectangle; what is thinner than a pixel is merged into the pixel before.

class RectBatch {
  constructor(colors) {
    this.lists = Array.from({length: colors}, () => ({data: new Float32Array(512), used: 0}));
    this.total = 0;
  }
  add(color, x, y, w, h) {
    const list = this.lists[color];
    if (list.used + 4 > list.data.length) {
      const larger = new Float32Array(list.data.length * 2);
      larger.set(list.data);
      list.data = larger;
    }
    list.data[list.used++] = x;
    list.data[list.used++] = y;
    list.data[list.used++] = w;
    list.data[list.used++] = h;
    this.total++;
  }
  // As add, but grows the last rectangle of this colour where the new one continues it.
  extend(color, x, y, w, h) {
    const {data, used} = this.lists[color],
      k = used - 4;
    if (k >= 0 && data[k + 1] === y && data[k + 3] === h && x - data[k] - data[k + 2] < 0.6)
      data[k + 2] = x + w - data[k];
    else this.add(color, x, y, w, h);
  }
  // Colours [0, n) are plain, [n, 2n) their faded twins.
  flush(ctx, plain, faded) {
    this.lists.forEach((list, i) => {
      if (!list.used) return;
      ctx.fillStyle = i < plain.length ? plain[i] : faded[i - plain.length];
      for (let k = 0; k < list.used; k += 4)
        ctx.fillRect(list.data[k], list.data[k + 1], list.data[k + 2], list.data[k + 3]);
      list.used = 0;
    });
  }
}

const PLATE = '#10161d';

class LabelBatch {
  constructor() {
    this.plain = new Map();
    this.plated = [];
  }
  add(ink, text, x, y) {
    if (!this.plain.has(ink)) this.plain.set(ink, []);
    this.plain.get(ink).push(text, x, y);
  }
  flush(ctx) {
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (const [ink, list] of this.plain) {
      ctx.fillStyle = ink;
      for (let i = 0; i < list.length; i += 3) ctx.fillText(list[i], list[i + 1], list[i + 2]);
      list.length = 0;
    }
    // On a two-tone bar no single ink reads well, so the letters stand on a plate of their own.
    const {plated} = this;
    ctx.fillStyle = PLATE;
    for (let i = 0; i < plated.length; i += 4)
      ctx.fillRect(plated[i + 1] - plated[i + 3] / 2, plated[i + 2] - 5.5, plated[i + 3], 10);
    ctx.fillStyle = '#ffffff';
    for (let i = 0; i < plated.length; i += 4) ctx.fillText(plated[i], plated[i + 1], plated[i + 2]);
    plated.length = 0;
  }
}

// How one schedule is drawn this frame.
function emphasisOf(index, result) {
  const s = state.selection;
  if (state.gaps) return {fade: () => true, any: true, gaps: true};
  if (!s || s.result !== index) return {fade: () => false, any: false};
  const microbatch = selectedMicrobatch(result, s);
  return {fade: (mb) => mb !== microbatch, any: true, microbatch};
}

const selectedMicrobatch = (result, s) =>
  (s.backward && result.actions.kind[s.action] === KIND.FB
    ? result.actions.backMicrobatch
    : result.actions.microbatch)[s.action];

const FILL_OF_KIND = [FILL.forward, FILL.backward, FILL.weight, FILL.backward, FILL.forward];
const actionFill = (result, i) =>
  FILL_OF_KIND[result.actions.kind[i]] + (result.direction[result.actions.microbatch[i]] || 0);
const backFill = (result, i) => FILL.backward + (result.direction[result.actions.backMicrobatch[i]] || 0);

const COLUMN = 3; // pixels

function meanLength(a, rank) {
  const first = a.offsets[rank],
    last = a.offsets[rank + 1] - 1;
  return last < first ? Infinity : (a.start[last] + a.dur[last] - a.start[first]) / (last - first + 1);
}

class GanttPainter {
  constructor() {
    this.rects = new RectBatch(2 * FILL.count);
    this.labels = new LabelBatch();
    this.digit = 6;
  }

  // Rows of one section that are inside the window vertically.
  visibleRanks(section, scroll, height) {
    return [
      clamp(Math.floor((scroll - section.top) / section.pitch), 0, section.ranks),
      clamp(Math.ceil((scroll + height - section.top) / section.pitch), 0, section.ranks),
    ];
  }

  // Grey from a rank's first action to its last: what no action covers is the bubble.
  background(layout, section, result, rank) {
    if (layout.expanded)
      result.lanes.forEach((_, k) =>
        this.rects.add(FILL.track, layout.left, laneTop(section, rank, k), layout.plot, LANE_HEIGHT),
      );
    const {offsets, start, dur} = result.actions,
      first = offsets[rank],
      last = offsets[rank + 1] - 1;
    if (last < first) return;
    const x0 = Math.max(layout.left, timeToX(layout, 0));
    const x1 = Math.min(
      layout.left + layout.plot,
      timeToX(layout, Math.max(start[last] + dur[last], pipelineEnd(result))),
    );
    if (x1 > x0) this.rects.add(FILL.bubble, x0, rowTop(section, rank), x1 - x0, section.bar);
  }

  actions(layout, section, result, rank, emphasis) {
    const a = result.actions,
      y = rowTop(section, rank),
      h = section.bar,
      half = Math.round(h / 2);
    const right = layout.left + layout.plot,
      scale = layout.plot / (state.end - state.start);
    let drawn = layout.left;
    const end = a.offsets[rank + 1];
    if (meanLength(a, rank) * scale < COLUMN / 2) return this.columns(layout, result, rank, y, h, emphasis);
    for (let i = lowerBound(a.start, state.start - a.reach, a.offsets[rank], end); i < end; i++) {
      const from = layout.left + (a.start[i] - state.start) * scale;
      if (from > right) break;
      const to = Math.min(right, from + a.dur[i] * scale);
      if (to < drawn + 0.5) continue; // lies in a pixel that is already drawn
      const x = Math.max(drawn, from),
        full = Math.max(to - x, 0.8);
      const w = full > 4 ? full - 0.8 : full; // a hairline between neighbours
      const fill = actionFill(result, i) + (emphasis.fade(a.microbatch[i]) ? FILL.count : 0);
      drawn = x + full;
      if (a.kind[i] !== KIND.FB) {
        this.rects.add(fill, x, y, w, h);
        if (w > 9 && (fill < FILL.count || h >= 24)) this.label(result, i, x, y, w, h, fill);
        continue;
      }
      const back = backFill(result, i) + (emphasis.fade(a.backMicrobatch[i]) ? FILL.count : 0);
      this.rects.add(fill, x, y, w, half);
      this.rects.add(back, x, y + half, w, h - half);
      if (w > 9) this.pairLabel(result, i, x, y, w, h, fill, back);
    }
  }

  // So far out that several actions share a column of pixels: each column takes the colour of the action in its
  // middle, so that shares of colours and of gaps stay right, and a frame costs the same however many there are.
  columns(layout, result, rank, y, h, emphasis) {
    const a = result.actions,
      end = a.offsets[rank + 1],
      half = Math.round(h / 2),
      span = (COLUMN * (state.end - state.start)) / layout.plot;
    let i = lowerBound(a.start, state.start - a.reach, a.offsets[rank], end);
    for (let x = layout.left, time = state.start + span / 2; x < layout.left + layout.plot; x += COLUMN, time += span) {
      i = Math.max(i, lowerBound(a.start, time, i, end) - 1);
      if (i >= end || a.start[i] > time || a.start[i] + a.dur[i] < time) continue;
      const fade = emphasis.fade(a.microbatch[i]) ? FILL.count : 0;
      if (a.kind[i] !== KIND.FB) {
        this.rects.extend(actionFill(result, i) + fade, x, y, COLUMN, h);
        continue;
      }
      const back = emphasis.fade(a.backMicrobatch[i]) ? FILL.count : 0;
      this.rects.extend(actionFill(result, i) + fade, x, y, COLUMN, half);
      this.rects.extend(backFill(result, i) + back, x, y + half, COLUMN, h - half);
    }
  }

  inkFor(fill) {
    return fill < FILL.count ? palette.ink[fill] : palette.muted;
  }

  label(result, i, x, y, w, h, fill) {
    const a = result.actions,
      name = ACTION_NAMES[a.kind[i]],
      mb = String(a.microbatch[i]);
    if (h < 9) return;
    const text = this.fitting(w, h >= 24 ? `${name} ${mb} · stage ${a.stage[i]}` : null, name + mb, mb);
    if (text) this.labels.add(this.inkFor(fill), text, x + w / 2, y + h / 2 + 0.5);
  }

  pairLabel(result, i, x, y, w, h, fill, back) {
    const a = result.actions,
      mb = a.microbatch[i],
      bm = a.backMicrobatch[i];
    if (h >= 24) {
      const top = this.fitting(w, `F ${mb} · stage ${a.stage[i]}`, 'F' + mb, String(mb));
      const bottom = this.fitting(w, `B ${bm} · stage ${a.backStage[i]}`, 'B' + bm, String(bm));
      if (top) this.labels.add(this.inkFor(fill), top, x + w / 2, y + h / 4 + 0.5);
      if (bottom) this.labels.add(this.inkFor(back), bottom, x + w / 2, y + h * 0.75 + 0.5);
    } else if (h >= 11 && fill < FILL.count && back < FILL.count) {
      const text = this.fitting(w, null, `F${mb} B${bm}`, `${mb}·${bm}`);
      if (text) this.labels.plated.push(text, x + w / 2, y + h / 2 + 0.5, text.length * this.digit + 2);
    }
  }

  // The longest of the texts that fits. Text is estimated by the width of a digit: measuring each label would
  // cost more than drawing it.
  fitting(w, ...texts) {
    return texts.find((t) => t && t.length * this.digit + 5 < w);
  }

  useFont(ctx, size) {
    ctx.font = CANVAS_FONT(size);
    this.digit = ctx.measureText('0000').width / 4;
  }

  // Optimizer and gradient traffic after the pipeline, in a compact row.
  stepOps(layout, section, result, rank) {
    const s = result.stepOps,
      y = rowTop(section, rank),
      right = layout.left + layout.plot;
    for (let i = s.offsets[rank]; i < s.offsets[rank + 1]; i++) {
      const x0 = Math.max(layout.left, timeToX(layout, s.start[i])),
        x1 = Math.min(right, timeToX(layout, s.start[i] + s.dur[i]));
      if (x1 <= x0) continue;
      const fill =
        FILL.op +
        result.opKinds[s.name[i]] +
        (state.gaps || (state.selection && result === currentResult()) ? FILL.count : 0);
      const inset = s.lane[i] === 0 ? 0 : Math.round(section.bar / 4);
      this.rects.add(fill, x0, y + inset, x1 - x0, section.bar - 2 * inset);
    }
  }
}

const currentResult = () => (state.selection ? report.results[state.selection.result] : null);

// The end of the last action on any rank; after it come the optimizer and gradient traffic.
function pipelineEnd(result) {
  if (result.pipelineEnd === undefined) {
    result.pipelineEnd = 0;
    const a = result.actions;
    for (let i = 0; i < a.count; i++)
      result.pipelineEnd = Math.max(result.pipelineEnd, a.start[i] + a.dur[i]);
  }
  return result.pipelineEnd;
}
