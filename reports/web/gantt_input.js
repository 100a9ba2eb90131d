// Pointer, wheel and keyboard on the timeline.

function listenPointer(gantt) {
  const canvas = gantt.canvas,
    touches = new Map();
  let drag = null,
    pinch = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top + gantt.scroll.scrollTop};
  };
  canvas.onpointerdown = (event) => {
    if (event.button > 0) return;
    const at = place(event);
    touches.set(event.pointerId, at.x);
    canvas.setPointerCapture(event.pointerId);
    if (touches.size === 2) {
      drag = null;
      pinch = spread(touches);
      return;
    }
    drag = {
      x: at.x,
      y: at.y,
      last: at.x,
      moved: false,
      range: event.shiftKey,
      from: xToTime(gantt.layout, at.x),
    };
  };
  canvas.onpointermove = (event) => {
    const at = place(event),
      layout = gantt.layout;
    setState({
      cursor: at.x >= layout.left && at.x <= layout.left + layout.plot ? xToTime(layout, at.x) : null,
    });
    if (touches.has(event.pointerId)) touches.set(event.pointerId, at.x);
    if (touches.size === 2)
      return void pinchTo(touches, layout, pinch, (p) => {
        pinch = p;
      });
    if (!drag) return gantt.hover(at, event);
    if (Math.abs(at.x - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    hideTooltip();
    if (drag.range) {
      const to = xToTime(layout, clamp(at.x, layout.left, layout.left + layout.plot));
      setState({range: [Math.min(drag.from, to), Math.max(drag.from, to)]});
    } else {
      canvas.classList.add('dragging');
      panBy(((drag.last - at.x) / layout.plot) * (state.end - state.start));
      drag.last = at.x;
    }
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    touches.delete(event.pointerId);
    canvas.classList.remove('dragging');
    if (drag && !drag.moved && event.type === 'pointerup') gantt.click(place(event));
    drag = null;
  };
  canvas.onpointerleave = () => {
    hideTooltip();
    setState({cursor: null});
  };
}

function spread(touches) {
  const [a, b] = [...touches.values()];
  return Math.max(20, Math.abs(a - b));
}

function pinchTo(touches, layout, before, keep) {
  const now = spread(touches),
    [a, b] = [...touches.values()];
  zoomAround(before / now, xToTime(layout, (a + b) / 2));
  keep(now);
}

// The page keeps its scroll wheel until the reader has clicked into the timeline; Ctrl (which is also how a
// pinch on a touchpad arrives) always zooms, and sideways always pans.
function listenWheel(gantt) {
  gantt.canvas.addEventListener(
    'wheel',
    (event) => {
      const unit = event.deltaMode === 1 ? 16 : 1,
        layout = gantt.layout,
        width = state.end - state.start;
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        return panBy(((sideways * unit) / layout.plot) * width);
      }
      if (!event.ctrlKey && document.activeElement !== gantt.scroll) return;
      event.preventDefault();
      const x = event.clientX - gantt.canvas.getBoundingClientRect().left;
      gantt.anchorY = event.clientY;
      zoomAround(
        Math.exp(event.deltaY * unit * (event.ctrlKey ? 0.008 : 0.0016)),
        xToTime(layout, clamp(x, layout.left, layout.left + layout.plot)),
      );
    },
    {passive: false},
  );
}

function listenKeys(gantt) {
  const middle = () => state.cursor ?? (state.start + state.end) / 2;
  const width = () => state.end - state.start;
  const keys = {
    w: () => zoomAround(0.7, middle()),
    s: () => zoomAround(1 / 0.7, middle()),
    '+': () => zoomAround(0.7, middle()),
    '=': () => zoomAround(0.7, middle()),
    '-': () => zoomAround(1 / 0.7, middle()),
    a: () => panBy(-0.15 * width()),
    d: () => panBy(0.15 * width()),
    0: () => setWindow(0, fullEnd),
    Escape: () => setState({selection: null, range: null, cause: -1}),
    ArrowLeft: () => gantt.step(-1),
    ArrowRight: () => gantt.step(1),
    ArrowUp: () => gantt.stepRank(-1),
    ArrowDown: () => gantt.stepRank(1),
    Enter: () => gantt.zoomToSelection(),
  };
  gantt.scroll.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const work = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!work) return;
    event.preventDefault();
    work();
  });
}
