// Operations inside an action for the mock data: layers of attention and experts on the compute lane, dispatch
// and combine on the communication lane. An overlapped pair interleaves a forward and a backward.

import {KIND} from './mock_schedules.mjs';

export const OP_NAMES = [
  'attention',
  'expert MLP',
  'dispatch',
  'combine',
  'embedding',
  'head and loss',
  'gate',
  'attention gradient',
  'expert gradient',
  'attention weights',
  'expert weights',
  'gradient reduce-scatter',
  'optimizer',
  'parameter all-gather',
];
export const OP_KINDS = [0, 1, 2, 3, 4, 4, 8, 0, 1, 0, 1, 6, 7, 6];
const LAYERS = 4,
  US = 1000;

class Shape {
  constructor() {
    this.flat = [];
    this.at = [0, 0, 0, 0];
  }
  // Puts an operation on a lane, not before `after`; returns its end.
  op(lane, name, us, after = 0) {
    const start = Math.max(this.at[lane], after),
      dur = Math.round(us * US);
    this.flat.push(lane, name, start, dur);
    return (this.at[lane] = start + dur);
  }
  get end() {
    return Math.max(...this.at);
  }
}

function forward(s, first, last) {
  let t = first ? s.op(0, 4, 180) : 0;
  for (let l = 0; l < LAYERS; l++) {
    t = s.op(0, 0, 640, t);
    t = s.op(0, 6, 60, t);
    t = s.op(1, 2, 330, t);
    t = s.op(0, 1, 700, t);
    t = s.op(1, 3, 390, t);
  }
  if (last) s.op(0, 5, 520, t);
}

function backward(s, weights, last) {
  let t = last ? s.op(0, 5, 760) : 0;
  for (let l = 0; l < LAYERS; l++) {
    t = s.op(1, 2, 350, t);
    t = s.op(0, 8, 900, t);
    if (weights) s.op(0, 10, 640, t);
    t = s.op(1, 3, 360, t);
    t = s.op(0, 7, 760, t);
    if (weights) s.op(0, 9, 420, t);
  }
}

function weightsOnly(s) {
  for (let l = 0; l < LAYERS; l++) {
    s.op(0, 10, 640);
    s.op(0, 9, 420);
  }
}

// While one direction computes, the other communicates, so the lanes run side by side.
function overlapped(s, first, last) {
  if (first) s.op(0, 4, 180);
  for (let l = 0; l < LAYERS; l++) {
    const a = s.op(0, 0, 640);
    s.op(1, 2, 520, a);
    const b = s.op(0, 8, 900);
    s.op(1, 3, 540, b);
    s.op(0, 10, 640);
    const c = s.op(0, 1, 720);
    s.op(1, 3, 560, c);
    s.op(0, 7, 760);
    const d = s.op(0, 9, 420);
    s.op(1, 2, 520, d - 300 * US);
    s.op(0, 6, 60);
  }
  if (last) s.op(0, 5, 760);
}

export function makeShapes() {
  const list = [],
    duration = [],
    known = new Map();
  const pick = (a, stages) => {
    const backwardStage = a.kind === KIND.FB ? a.backward_stage : a.stage;
    const first = a.stage === 0,
      last = backwardStage === stages - 1;
    const key = [a.kind, first, last].join();
    if (!known.has(key)) {
      const s = new Shape();
      if (a.kind === KIND.F) forward(s, first, a.stage === stages - 1);
      if (a.kind === KIND.I) backward(s, false, last);
      if (a.kind === KIND.B) backward(s, true, last);
      if (a.kind === KIND.W) weightsOnly(s);
      if (a.kind === KIND.FB) overlapped(s, first, last);
      known.set(key, list.length);
      list.push(s.flat);
      duration.push(s.end);
    }
    return known.get(key);
  };
  return {list, duration, pick};
}

// What follows the pipeline: gradient reduction, optimizer, parameter gather.
export function stepOps(ranks, from) {
  const columns = {rank: [], lane: [], op_name: [], start_ns: [], dur_ns: []};
  let end = from;
  for (let r = 0; r < ranks; r++) {
    let at = from;
    for (const [lane, name, us] of [
      [3, 11, 9000],
      [0, 12, 12000],
      [3, 13, 7000],
    ]) {
      columns.rank.push(r);
      columns.lane.push(lane);
      columns.op_name.push(name);
      columns.start_ns.push(at);
      columns.dur_ns.push(us * US);
      at += us * US;
    }
    end = Math.max(end, at);
  }
  return {columns, end};
}
