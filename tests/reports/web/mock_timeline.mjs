// What follows from the placed actions: gaps, critical path, memory.

import {makeShapes, stepOps} from './mock_operations.mjs';
import {KIND} from './mock_schedules.mjs';
import {HOP_NS, noise, simulate} from './mock_simulate.mjs';

export const GAP_CAUSES = ['warm-up', 'drain', 'dependency', 'communication', 'imbalance'];
export const GIB = 2 ** 30;

export const column = (list, f) => list.map(f);

export function timelineOf(schedule, ranks, microBatches) {
  const shapes = makeShapes();
  const {order, messages} = simulate(schedule, shapes, ranks, microBatches);
  const actions = order.flat();
  actions.forEach((a, i) => {
    a.index = i;
  });
  const lastEnd = Math.max(...actions.map((a) => a.end));
  const tail = stepOps(ranks, lastEnd);
  const gaps = {rank: [], start_ns: [], dur_ns: [], cause: []};
  const gap = (rank, start, end, cause) => {
    if (end - start < 1000) return;
    gaps.rank.push(rank);
    gaps.start_ns.push(start);
    gaps.dur_ns.push(end - start);
    gaps.cause.push(cause);
  };
  for (let r = 0; r < ranks; r++) {
    const half = order[r].length / 2;
    order[r].forEach((a, i) => {
      a.wait = -1;
      if (a.start - a.free < 1000) return;
      const hop = a.released && a.start - a.free <= HOP_NS * 1.1;
      a.wait = i === 0 || (i < half && a.kind === KIND.F) ? 0 : hop ? 3 : noise(r, i, 3) < 0.2 ? 4 : 2;
      gap(r, a.free, a.start, a.wait);
    });
    gap(r, order[r].at(-1).end, lastEnd, 1);
  }
  return {actions, order, gaps, messages, tail, lastEnd, shapes, end: tail.end};
}

export function criticalPath(t) {
  const path = {
    rank: [],
    start_ns: [],
    dur_ns: [],
    what: [],
    names: ['compute', 'pipeline message', 'gradient and optimizer'],
  };
  const push = (rank, start, dur, what) => {
    path.rank.push(rank);
    path.start_ns.push(start);
    path.dur_ns.push(dur);
    path.what.push(what);
  };
  let a = t.actions.reduce((x, y) => (y.end > x.end ? y : x));
  push(a.rank, t.lastEnd, t.end - t.lastEnd, 2);
  while (a) {
    push(a.rank, a.start, a.end - a.start, 0);
    if (a.released) {
      if (a.released.rank !== a.rank) push(a.rank, a.released.end, a.start - a.released.end, 1);
      a = a.released;
    } else {
      a = a.start > 0 ? t.order[a.rank][t.order[a.rank].indexOf(a) - 1] : null;
    }
  }
  for (const k of ['rank', 'start_ns', 'dur_ns', 'what']) path[k].reverse();
  return path;
}

// Activations are held from the start of F to the end of the weight gradient.
export function memoryOf(t, schedule) {
  const fixed = {parameters: 9.4 * GIB, gradients: 9.4 * GIB, optimizer: 11.2 * GIB, buffers: 4.1 * GIB};
  const scale = schedule === 'dualpipe' ? 2 : 1;
  fixed.parameters *= scale;
  fixed.gradients *= scale;
  const base = fixed.parameters + fixed.gradients + fixed.optimizer + fixed.buffers;
  const held = (1.55 * GIB) / (schedule === 'dualpipe' ? 1.1 : 1);
  const curves = {rank: [], time_ns: [], bytes: []},
    table = [];
  t.order.forEach((list, r) => {
    const events = [];
    for (const a of list) {
      if (a.kind === KIND.F || a.kind === KIND.FB) events.push([a.start, held]);
      if (a.kind === KIND.I) events.push([a.end, -held * 0.6]);
      if (a.kind === KIND.W) events.push([a.end, -held * 0.4]);
      if (a.kind === KIND.B || a.kind === KIND.FB) events.push([a.end, -held]);
    }
    events.sort((x, y) => x[0] - y[0]);
    let now = base,
      peak = base;
    const time = [0],
      bytes = [Math.round(base)];
    for (const [at, change] of events) {
      now += change;
      peak = Math.max(peak, now);
      if (time.at(-1) === at) bytes[bytes.length - 1] = Math.round(now);
      else {
        time.push(at);
        bytes.push(Math.round(now));
      }
    }
    curves.rank.push(r);
    curves.time_ns.push(time);
    curves.bytes.push(bytes);
    table.push({
      ...fixed,
      activations_peak: Math.round(peak - base),
      total_peak: Math.round(peak),
      limit: 80 * GIB,
    });
  });
  return {curves, table};
}
