// The whole step in one strip: per schedule, the share of ranks that compute at each moment, with the visible
// window on top. Dragging moves the window.

function utilisation(result, columns) {
  const busy = new Float64Array(columns + 2),
    a = result.actions,
    scale = columns / fullEnd;
  // Adds each action's overlap with the columns: ends exactly, the inside by difference.
  const slope = new Float64Array(columns + 2);
  for (let i = 0; i < a.count; i++) {
    const from = a.start[i] * scale,
      to = (a.start[i] + a.dur[i]) * scale,
      first = Math.floor(from),
      last = Math.floor(to);
    if (first === last) {
      busy[first] += to - from;
      continue;
    }
    busy[first] += first + 1 - from;
    busy[last] += to - last;
    slope[first + 1]++;
    slope[last]--;
  }
  let inside = 0;
  for (let c = 0; c < columns; c++) {
    inside += slope[c];
    busy[c] = Math.min(1, (busy[c] + inside) / Math.max(1, result.ranks));
  }
  return busy;
}

// Kept: while the window moves the curves stay as they are.
function curveOf(result, columns) {
  if (!result.curve || result.curve.columns !== columns)
    result.curve = {columns, values: utilisation(result, columns)};
  return result.curve.values;
}

function drawMinimap() {
  const canvas = byId('minimap'),
    {ctx, width, height} = fitCanvas(canvas, canvas.clientWidth, 54);
  const left = gutterWidth(width),
    plot = Math.max(10, width - left - 12);
  ctx.fillStyle = palette.surface;
  ctx.fillRect(0, 0, width, height);
  const results = report.results,
    band = (height - 8) / results.length;
  results.forEach((result, k) => {
    const columns = Math.floor(plot),
      curve = curveOf(result, columns),
      foot = 4 + band * (k + 1) - 1;
    ctx.beginPath();
    ctx.moveTo(left, foot);
    for (let c = 0; c < columns; c++) ctx.lineTo(left + c + 0.5, foot - curve[c] * (band - 3));
    ctx.lineTo(left + columns, foot);
    ctx.fillStyle = mix(palette.fill[FILL.forward], palette.surface, 0.45);
    ctx.fill();
    ctx.fillStyle = palette.muted;
    ctx.font = CANVAS_FONT(10.5);
    ctx.textAlign = 'right';
    ctx.textBaseline = 'middle';
    if (band >= 11) ctx.fillText(clipped(ctx, result.label, left - 14), left - 10, foot - band / 2 + 1);
  });
  const x0 = left + (state.start / fullEnd) * plot,
    x1 = left + (state.end / fullEnd) * plot;
  ctx.fillStyle = palette.surface;
  ctx.globalAlpha = 0.55;
  ctx.fillRect(left, 0, x0 - left, height);
  ctx.fillRect(x1, 0, left + plot - x1, height);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = palette.accent;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(x0, 1, Math.max(x1 - x0, 2), height - 2);
}

function listenMinimap() {
  const canvas = byId('minimap');
  let grip = null;
  const timeAt = (event) => {
    const box = canvas.getBoundingClientRect(),
      left = gutterWidth(box.width);
    return ((event.clientX - box.left - left) / Math.max(10, box.width - left - 12)) * fullEnd;
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    const t = timeAt(event),
      width = state.end - state.start;
    // Outside the window: bring it here first. Inside: keep hold of the point that was touched.
    if (t < state.start || t > state.end) setWindow(t - width / 2, t + width / 2);
    grip = t - state.start;
  };
  canvas.onpointermove = (event) => {
    if (grip !== null) panBy(timeAt(event) - grip - state.start);
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    grip = null;
  };
}

// Sizes a canvas to device pixels and gives back a context in CSS pixels.
function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1,
    w = Math.round(width * ratio),
    h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  canvas.style.height = height + 'px';
  const ctx = canvas.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return {ctx, width, height};
}
