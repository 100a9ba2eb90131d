// The timeline: keeps the layout, draws a frame when something changed, answers pointer and keys.

class Gantt {
  constructor() {
    this.canvas = byId('gantt-canvas');
    this.scroll = byId('gantt-scroll');
    this.space = byId('gantt-space');
    this.painter = new GanttPainter();
    this.expanded = false;
    this.anchorY = null;
    this.redraw = frameThrottle(() => this.draw());
    this.relayout();
    listenPointer(this);
    listenWheel(this);
    listenKeys(this);
    this.scroll.addEventListener('scroll', this.redraw, {passive: true});
    new ResizeObserver(() => this.redraw()).observe(this.scroll);
    listen(
      [
        'start',
        'end',
        'selection',
        'range',
        'critical',
        'messages',
        'gaps',
        'cause',
        'lanes',
        'theme',
        'cursor',
      ],
      this.redraw,
    );
  }

  // When lanes open or close, the rank under the pointer (or at the top) stays where it is.
  relayout() {
    const width = this.scroll.clientWidth,
      expanded = wantsLanes(report.results, width, this.expanded);
    if (this.layout && this.layout.width === width && expanded === this.expanded) return;
    const old = this.layout,
      box = this.scroll.getBoundingClientRect();
    const inside = this.anchorY === null ? this.scroll.clientHeight / 3 : this.anchorY - box.top;
    const hold = old && expanded !== this.expanded ? rankAt(old, this.scroll.scrollTop + inside) : null;
    this.expanded = expanded;
    this.layout = makeLayout(report.results, expanded, width);
    this.space.style.height = this.layout.height + 'px';
    if (hold) {
      const section = this.layout.sections[hold.index];
      this.scroll.scrollTop = section.top + hold.row * section.pitch - inside;
    }
  }

  draw() {
    this.relayout();
    const height = Math.min(this.layout.height, this.scroll.clientHeight || this.layout.height);
    const {ctx} = fitCanvas(this.canvas, this.layout.width, height);
    this.canvas.style.width = this.layout.width + 'px';
    const began = performance.now();
    this.paint(ctx, this.scroll.scrollTop, height);
    this.lastFrame = {ms: performance.now() - began, rects: this.painter.rects.total};
  }

  paint(ctx, top, height) {
    const layout = this.layout;
    this.painter.rects.total = 0;
    ctx.fillStyle = palette.row;
    ctx.fillRect(0, 0, layout.width, height);
    ctx.save();
    ctx.translate(0, -top);
    const {ticks} = niceTicks(state.start, state.end, layout.plot / 110);
    ctx.fillStyle = palette.grid;
    for (const t of ticks) ctx.fillRect(timeToX(layout, t), top + AXIS_HEIGHT, 1, height);
    layout.sections.forEach((section, i) => {
      if (section.bottom > top && section.head < top + height)
        this.paintSection(ctx, section, i, top, height);
    });
    drawRange(ctx, layout, top + AXIS_HEIGHT, top + height);
    if (state.cursor !== null) {
      ctx.fillStyle = palette.text;
      ctx.fillRect(timeToX(layout, state.cursor), top + AXIS_HEIGHT, 1, height);
    }
    drawAxis(ctx, layout, top);
    ctx.restore();
  }

  paintSection(ctx, section, index, top, height) {
    const {layout, painter} = this,
      result = report.results[index],
      emphasis = emphasisOf(index, result);
    const [first, last] = painter.visibleRanks(section, top, height);
    if (index > 0) {
      ctx.fillStyle = palette.line;
      ctx.fillRect(0, section.head, layout.width, 1);
    }
    drawHeading(ctx, layout, section, result, index === report.best);
    drawGutter(ctx, layout, section, result, first, last);
    ctx.save();
    ctx.beginPath();
    ctx.rect(layout.left, section.top - 3, layout.plot, section.bottom - section.top + 3);
    ctx.clip();
    painter.useFont(ctx, section.bar < 12 ? 9.5 : 10.5);
    for (let rank = first; rank < last; rank++) painter.background(layout, section, result, rank);
    painter.rects.flush(ctx, palette.fill, palette.faded);
    for (let rank = first; rank < last; rank++) {
      painter.actions(layout, section, result, rank, emphasis);
      if (state.gaps) drawGaps(painter, layout, section, result, rank);
      if (layout.expanded) drawLanes(painter, layout, section, result, rank, emphasis);
      else painter.stepOps(layout, section, result, rank);
    }
    painter.rects.flush(ctx, palette.fill, palette.faded);
    painter.labels.flush(ctx);
    if (state.messages || emphasis.microbatch !== undefined)
      drawMessages(ctx, layout, section, index, result, emphasis, state.messages);
    if (state.critical) drawCritical(ctx, layout, section, result);
    if (state.selection && state.selection.result === index) drawSelection(ctx, layout, section, result);
    this.endMark(ctx, section, result);
    ctx.restore();
  }

  // The end of the step: the distance between these marks is what one schedule wins over another.
  endMark(ctx, section, result) {
    const x = timeToX(this.layout, result.end);
    ctx.fillStyle = palette.text;
    ctx.fillRect(x - 1, section.top - 3, 2, section.bottom - section.top);
  }

  hover(at, event) {
    const hit = pickAt(this.layout, at.x, at.y),
      content = hit && tooltipFor(hit);
    if (content) showTooltip(event.clientX, event.clientY, content);
    else hideTooltip();
  }

  click(at) {
    this.scroll.focus({preventScroll: true});
    const hit = pickAt(this.layout, at.x, at.y);
    if (hit && hit.action >= 0)
      setState({selection: {result: hit.index, action: hit.action, backward: Boolean(hit.backward)}});
    else setState({selection: null});
  }

  select(result, action) {
    if (action < 0) return;
    setState({selection: {result, action, backward: false}});
    const a = report.results[result].actions,
      width = state.end - state.start;
    if (a.start[action] < state.start || a.start[action] + a.dur[action] > state.end) {
      const middle = a.start[action] + a.dur[action] / 2;
      setWindow(middle - width / 2, middle + width / 2);
    }
    this.reveal();
  }

  // Scrolls the selected rank into view.
  reveal() {
    this.relayout();
    const {result, action} = state.selection,
      section = this.layout.sections[result];
    const y = rowTop(section, report.results[result].actions.rank[action]),
      {scrollTop, clientHeight} = this.scroll;
    if (y < scrollTop + AXIS_HEIGHT) this.scroll.scrollTop = y - AXIS_HEIGHT - 8;
    if (y + section.pitch > scrollTop + clientHeight)
      this.scroll.scrollTop = y + section.pitch - clientHeight + 8;
  }

  step(by) {
    const s = state.selection;
    if (!s) return this.select(0, nearestAction(report.results[0], 0, state.start));
    const a = report.results[s.result].actions,
      next = s.action + by;
    if (next >= a.offsets[a.rank[s.action]] && next < a.offsets[a.rank[s.action] + 1])
      this.select(s.result, next);
  }

  // Up and down run through the ranks of one schedule and on into the next.
  stepRank(by) {
    const s = state.selection;
    if (!s) return this.step(1);
    const result = report.results[s.result],
      rank = result.actions.rank[s.action] + by;
    const into = rank < 0 ? s.result - 1 : rank >= result.ranks ? s.result + 1 : s.result;
    const target = report.results[into];
    if (!target) return;
    const row = into === s.result ? rank : by < 0 ? target.ranks - 1 : 0;
    this.select(into, nearestAction(target, row, result.actions.start[s.action]));
  }

  zoomToSelection() {
    const s = state.selection;
    if (!s) return;
    const a = report.results[s.result].actions,
      width = a.dur[s.action] * 4;
    setWindow(
      a.start[s.action] + a.dur[s.action] / 2 - width / 2,
      a.start[s.action] + a.dur[s.action] / 2 + width / 2,
    );
    this.reveal();
  }
}

function rankAt(layout, y) {
  const found = layout.sections.findIndex((s) => y < s.bottom),
    index = found < 0 ? layout.sections.length - 1 : found;
  const section = layout.sections[index];
  return {index, row: clamp((y - section.top) / section.pitch, 0, section.ranks)};
}
