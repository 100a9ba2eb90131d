// Memory over time, every rank faint and one strong, on the timeline's axis; and what the peak is made of.

const MEMORY_PARTS = [
  ['parameters', 'parameters', 'parameters'],
  ['gradients', 'gradients', 'gradients'],
  ['optimizer', 'optimizer state', 'moments'],
  ['activations_peak', 'activations at the peak', 'activations'],
  ['buffers', 'buffers', 'buffers'],
];

const memoryLimit = (r) => Math.max(0, ...r.raw.memory_bytes.map((m) => m.limit || 0));
const memoryPeak = (r) => Math.max(0, ...r.raw.memory_bytes.map((m) => m.total_peak || 0));
const heaviestRank = (r) =>
  r.raw.memory_bytes.reduce((b, m, i, all) => (m.total_peak > all[b].total_peak ? i : b), 0);
// One scale for all schedules, so that they can be compared; the limit only where it is within reach.
function memoryScale() {
  const peak = Math.max(...report.results.map(memoryPeak), 1),
    limit = Math.max(...report.results.map(memoryLimit));
  return 1.06 * (limit > 0 && limit < 2.2 * peak ? Math.max(limit, peak) : peak);
}

// A profiler's trace says nothing of memory.
const knowsMemory = () => report.results.some((r) => r.raw.memory_bytes.length > 0);
const hideUnknownMemory = () => showSection('memory', knowsMemory());

// "at its peak 14 micro-batches of stage 1 for backward (33.4 GiB), ..."
const heldAtPeak = (m) =>
  'at its peak ' +
  m.held_at_peak
    .map((h) => `${h.microbatches} micro-batches of stage ${h.stage} ${h.what} (${formatBytes(h.bytes)})`)
    .join(', ');

function makeMemory() {
  const most = Math.max(...report.results.map((r) => r.ranks));
  byId('memory-rank').replaceChildren(
    el('option', {value: -1}, 'heaviest of each'),
    ...Array.from({length: most}, (_, i) => el('option', {value: i}, String(i))),
  );
  byId('memory-rank').onchange = (event) => setState({memoryRank: Number(event.target.value)});
  byId('memory-curves').replaceChildren(
    ...report.results.map((r, i) =>
      el(
        'div',
        {class: 'curve'},
        el(
          'div',
          {class: 'curve-head'},
          el('b', {title: r.label}, r.label),
          el('span', {class: 'note', id: 'memory-note-' + i}),
        ),
        el('div', {class: 'note', id: 'memory-held-' + i}),
        el('canvas', {
          id: 'memory-canvas-' + i,
          role: 'img',
          'aria-label': `Memory over time, ${r.label}; peak ${formatBytes(memoryPeak(r))}`,
        }),
      ),
    ),
  );
  report.results.forEach((_, i) => {
    const canvas = byId('memory-canvas-' + i);
    canvas.onpointermove = (event) => {
      const box = canvas.getBoundingClientRect(),
        left = gutterWidth(box.width);
      const share = (event.clientX - box.left - left) / Math.max(10, box.width - left - 12);
      setState({cursor: share >= 0 && share <= 1 ? state.start + share * (state.end - state.start) : null});
    };
    canvas.onpointerleave = () => setState({cursor: null});
  });
  fillLegend(
    'memory-legend',
    MEMORY_PARTS.map(([, name, variable]) => [`var(--${variable})`, name]),
  );
}

function drawMemory() {
  if (!knowsMemory()) return;
  const scale = memoryScale();
  byId('memory-rank').value = String(state.memoryRank);
  report.results.forEach((r, i) => {
    const rank = state.memoryRank >= 0 && state.memoryRank < r.ranks ? state.memoryRank : heaviestRank(r);
    const m = r.raw.memory_bytes[rank],
      curve = r.memory.find((c) => c.rank === rank);
    const at =
      state.cursor !== null && curve
        ? `  ·  ${formatBytes(bytesAt(curve, state.cursor))} at ${formatNs(state.cursor)}`
        : '';
    const over = m && m.limit && m.total_peak > m.limit, note = byId('memory-note-' + i);
    const limit = m && m.limit ? ` of ${formatBytes(m.limit)}${over ? ', over the limit' : ''}` : '';
    note.textContent = m ? `rank ${rank}: peak ${formatBytes(m.total_peak)}${limit}${at}` : '';
    byId('memory-held-' + i).textContent = m && (m.held_at_peak || []).length ? heldAtPeak(m) : '';
    note.classList.toggle('over', Boolean(over));
    drawCurves(byId('memory-canvas-' + i), r, rank, scale);
  });
}

function bytesAt(curve, time) {
  const i = lowerBound(curve.time, time + 1e-9, 0, curve.time.length);
  return curve.bytes[Math.max(0, i - 1)];
}

function drawCurves(canvas, result, chosen, scale) {
  const {ctx, width, height} = fitCanvas(canvas, canvas.clientWidth, 170);
  const left = gutterWidth(width),
    plot = Math.max(10, width - left - 12),
    top = 8,
    foot = height - 24;
  const x = (ns) => left + ((ns - state.start) / (state.end - state.start)) * plot,
    y = (b) => foot - (b / scale) * (foot - top);
  ctx.clearRect(0, 0, width, height);
  ctx.font = CANVAS_FONT(11);
  ctx.textBaseline = 'middle';
  const ticks = niceTicks(0, scale / GIB, 6),
    time = niceTicks(state.start, state.end, plot / 110),
    format = axisFormat(time.step, state.end);
  for (const t of ticks.ticks) {
    ctx.fillStyle = palette.grid;
    ctx.fillRect(left, y(t * GIB), plot, 1);
    ctx.fillStyle = palette.muted;
    ctx.textAlign = 'right';
    ctx.fillText(`${t} GiB`, left - 8, y(t * GIB));
  }
  ctx.textAlign = 'center';
  for (const t of time.ticks)
    if (x(t) < width - 20 && x(t) > left + 8)
      ctx.fillText(`${format.text(t)} ${format.unit}`, x(t), foot + 13);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, 0, plot, height);
  ctx.clip();
  const color = palette.get('drain');
  for (const curve of result.memory)
    if (curve.rank !== chosen) strokeCurve(ctx, curve, result.end, x, y, color, 0.28, 1);
  const strong = result.memory.find((c) => c.rank === chosen);
  if (strong) strokeCurve(ctx, strong, result.end, x, y, palette.critical, 1, 2);
  ctx.restore();
  drawLimit(ctx, memoryLimit(result), scale, left, plot, y);
  if (state.cursor !== null) {
    ctx.fillStyle = palette.text;
    ctx.fillRect(x(state.cursor), top, 1, foot - top);
  }
}

function drawLimit(ctx, limit, scale, left, plot, y) {
  if (!limit || limit > scale) return;
  ctx.strokeStyle = ctx.fillStyle = palette.limit;
  ctx.setLineDash([6, 4]);
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(left, y(limit));
  ctx.lineTo(left + plot, y(limit));
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.textAlign = 'right';
  ctx.fillText(`limit ${formatBytes(limit)}`, left + plot - 4, y(limit) + 10);
}

// A step curve. Within a pixel only the lowest and highest value matter.
function strokeCurve(ctx, curve, end, x, y, color, alpha, width) {
  const n = curve.time.length,
    first = Math.max(0, lowerBound(curve.time, state.start, 0, n) - 1);
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.lineJoin = 'round';
  ctx.beginPath();
  let level = curve.bytes[first];
  ctx.moveTo(x(curve.time[first]), y(level));
  for (let i = first + 1; i < n && curve.time[i] <= state.end;) {
    const px = x(curve.time[i]);
    let low = level,
      high = level;
    ctx.lineTo(px, y(level));
    for (; i < n && x(curve.time[i]) < px + 0.7; i++) {
      level = curve.bytes[i];
      low = Math.min(low, level);
      high = Math.max(high, level);
    }
    ctx.lineTo(px, y(low));
    ctx.lineTo(px, y(high));
    ctx.lineTo(px, y(level));
  }
  ctx.lineTo(x(Math.min(end, state.end)), y(level));
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function drawMemoryBars() {
  const scale = memoryScale(),
    ticks = niceTicks(0, scale / GIB, 6).ticks;
  byId('memory-bars').replaceChildren(
    ...report.results.map((r) => {
      const limit = memoryLimit(r),
        every = Math.ceil(r.ranks / 16);
      return el(
        'div',
        {},
        // The limit is named beside the heading: in the chart its label would hide what is over it.
        el(
          'h4',
          {title: r.label},
          r.label,
          limit > 0 && limit < scale ? el('small', {class: 'over-note'}, `limit ${formatBytes(limit)}`) : null,
        ),
        el(
          'div',
          {
            class: 'columns-chart',
            role: 'img',
            'aria-label': `Peak memory by rank, ${r.label}; the numbers are in the table by rank`,
          },
          ticks.map((t) =>
            el(
              'div',
              {class: 'gridline', style: `bottom:${(100 * t * GIB) / scale}%`},
              el('span', {}, `${t} GiB`),
            ),
          ),
          el(
            'div',
            {
              class:
                'stack-row' +
                (r.ranks > 24 ? ' dense' : '') +
                (state.memoryRank >= 0 && state.memoryRank < r.ranks ? ' choosing' : ''),
            },
            r.raw.memory_bytes.map((m, rank) => memoryStack(m, rank, scale, rank % every === 0)),
          ),
          limit > 0 && limit < scale
            ? el('div', {class: 'limit', style: `bottom:${(100 * limit) / scale}%`})
            : null,
        ),
      );
    }),
  );
}

function memoryStack(m, rank, scale, named) {
  const node = el(
    'div',
    {
      class: 'stack' + (rank === state.memoryRank ? ' chosen' : ''),
      onclick: () => setState({memoryRank: rank === state.memoryRank ? -1 : rank}),
    },
    MEMORY_PARTS.map(([key, , variable]) =>
      el('i', {style: `height:${(100 * (m[key] || 0)) / scale}%;background:var(--${variable})`}),
    ),
    named ? el('u', {}, String(rank)) : null,
  );
  withTooltip(node, () => [
    el('strong', {}, `Rank ${rank}`),
    factList([
      ...MEMORY_PARTS.map(([key, name]) => [name, formatBytes(m[key] || 0)]),
      ['total peak', formatBytes(m.total_peak)],
      m.limit ? ['limit', formatBytes(m.limit)] : null,
    ]),
  ]);
  return node;
}
