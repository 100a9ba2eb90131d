// Places the actions of the mock data in time.

import {buildOrder, KIND, stagePlacement} from './mock_schedules.mjs';

export const HOP_NS = 210_000;

// Deterministic: the same arguments give the same bytes.
export function noise(a, b, c) {
  let x = (a * 73856093) ^ (b * 19349663) ^ (c * 83492791);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
}

const actionTime = (shapes, action, rank) => {
  const base = shapes.duration[action.shape];
  return Math.round(base * (1 + 0.02 * noise(rank, action.microbatch, action.kind)));
};

// Runs the ranks in order until all actions are placed; an action starts when its rank is free and its input
// has arrived. Returns actions with start, end, the message they waited for and what released them.
export function simulate(schedule, shapes, ranks, microBatches) {
  const order = buildOrder(schedule, ranks, microBatches);
  const place = stagePlacement(schedule, ranks);
  const done = new Map();
  const cursor = Array(ranks).fill(0),
    free = Array(ranks).fill(0),
    messages = [];
  const key = (kind, stage, mb) => (kind === KIND.F ? 'F' : 'I') + stage + ':' + mb;
  const needs = (a) => {
    const inputs = [];
    if (a.kind === KIND.F || a.kind === KIND.FB) {
      if (a.stage > 0) inputs.push([KIND.F, a.stage - 1, a.microbatch]);
    }
    const [bs, bm] = a.kind === KIND.FB ? [a.backward_stage, a.backward_microbatch] : [a.stage, a.microbatch];
    if (a.kind === KIND.I || a.kind === KIND.B || a.kind === KIND.FB) {
      if (bs < place.length / place.directions - 1) inputs.push([KIND.I, bs + 1, bm]);
      inputs.push([KIND.F, bs, bm]);
    }
    return inputs;
  };
  for (let moved = true; moved;) {
    moved = false;
    for (let r = 0; r < ranks; r++) {
      while (cursor[r] < order[r].length) {
        const a = order[r][cursor[r]];
        const inputs = needs(a).map(([k, s, m]) => done.get(key(k, s, m)));
        if (inputs.some((x) => !x)) break;
        let ready = 0,
          by = null;
        for (const x of inputs) {
          const arrives = x.end + (x.rank === r ? 0 : HOP_NS);
          if (arrives > ready) [ready, by] = [arrives, x];
        }
        a.shape = shapes.pick(a, place.length / place.directions);
        a.rank = r;
        a.free = free[r];
        a.start = Math.max(free[r], ready);
        a.released = ready > free[r] ? by : null;
        a.end = a.start + actionTime(shapes, a, r);
        free[r] = a.end;
        const f = a.kind === KIND.F || a.kind === KIND.FB;
        if (f) done.set(key(KIND.F, a.stage, a.microbatch), a);
        if (a.kind === KIND.FB) done.set(key(KIND.I, a.backward_stage, a.backward_microbatch), a);
        if (a.kind === KIND.I || a.kind === KIND.B) done.set(key(KIND.I, a.stage, a.microbatch), a);
        for (const x of inputs) {
          if (x.rank !== r) {
            const isBackward =
              x.kind !== KIND.F && !(x.kind === KIND.FB && f && x.microbatch === a.microbatch);
            messages.push({
              from: x.rank,
              to: r,
              start: x.end,
              dur: HOP_NS,
              stage: x.stage,
              microbatch: isBackward && x.kind === KIND.FB ? x.backward_microbatch : x.microbatch,
              backward: isBackward ? 1 : 0,
            });
          }
        }
        cursor[r]++;
        moved = true;
      }
    }
  }
  if (cursor.some((c, r) => c < order[r].length)) throw new Error(schedule + ': the order deadlocks');
  return {order, messages};
}
