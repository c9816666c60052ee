// The charts of the timeline: one axis of time for every lane, with zoom, pan and values under
// the pointer. What is in the lanes is drawn by lanes.js. Nothing is loaded.
"use strict";

const hero = byId("hero");
const readout = byId("readout");
const charts = [];
const LABELS = 92; // px left of every lane, so that all lanes share one axis
const NODE_LANE = 24;
const LINK_LANE = 13;
const LABEL_ROW = 17;
// Every lane draws itself; the chart only needs an axis.
const NO_DATA = [[run.begin, run.end], [null, null]];
let current = -1; // the violation that was gone to

// ---- Charts

function shorten(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  while (text.length > 1 && ctx.measureText(text + "…").width > room) text = text.slice(0, -1);
  return text + "…";
}

function highestRate() {
  let highest = 1;
  for (let bin = 0; run.nodes.length && bin < run.answered[0].length; bin++) {
    let total = 0;
    for (const ending of ENDINGS) for (const row of run[ending]) total += row[bin];
    highest = Math.max(highest, total / run.bin);
  }
  return highest;
}

function timeAxis(show) {
  return {
    show,
    size: 26,
    stroke: () => colours.soft,
    grid: { stroke: () => colours.rule, width: 1 },
    ticks: { stroke: () => colours.rule, width: 1, size: 5 },
    font: "11.5px system-ui, sans-serif",
    values: (u, splits) => splits.map((time) => +time.toFixed(6) + " s"),
  };
}

function lanesAxis(names) {
  return {
    size: LABELS,
    gap: 6,
    stroke: () => colours.ink,
    grid: { show: false },
    ticks: { show: false },
    font: (names.length > 8 ? "10.5" : "12") + "px system-ui, sans-serif",
    splits: () => names.map((_, lane) => lane + 0.5),
    values: (u) => names.map((name) => shorten(u.ctx, name, px(LABELS - 12))),
  };
}

function valuesAxis(values) {
  return {
    size: LABELS,
    gap: 6,
    stroke: () => colours.soft,
    grid: { stroke: () => colours.rule, width: 1 },
    ticks: { show: false },
    font: "11.5px system-ui, sans-serif",
    values,
  };
}

// One chart in the element `id`. `inner` is the height of its plot in px.
function chart(id, inner, withTime, y, axis, draw) {
  const element = byId(id);
  if (!element) return;
  const around = inner > 90 ? 8 : 2; // room for half a label
  const options = {
    width: element.clientWidth,
    height: inner + 2 * around + (withTime ? 26 : 0),
    padding: [around, 12, around, 0],
    legend: { show: false },
    scales: { x: { time: false, auto: false, range: () => [view.min, view.max] }, y },
    axes: [timeAxis(withTime), axis],
    series: [{}, { show: false }],
    cursor: {
      sync: { key: "splitbrain", scales: ["x", null] },
      points: { show: false },
      y: false,
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => { showAll(); return null; } },
    },
    hooks: {
      drawClear: [drawFaults],
      draw: [draw],
      setSelect: [zoomToSelection],
      setCursor: [showValues],
    },
  };
  const u = new uPlot(options, NO_DATA, element);
  u.over.id = id + "-over";
  charts.push(u);
}

function zoomToSelection(u) {
  if (u.select.width < 4) return;
  const from = u.posToVal(u.select.left, "x");
  const to = u.posToVal(u.select.left + u.select.width, "x");
  u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  if (to - from < view.max - view.min - 1e-9) setView(from, to);
}

function lanes(count) {
  return { auto: false, dir: -1, range: () => [0, count] };
}

function latencyChart(id, latencies, range) {
  latencies.at = times(latencies.time);
  latencies.latency = latencies.latency.map((us) => Math.max(us, 1) / 1000);
  const axis = valuesAxis((u, splits) => splits.map(milliseconds));
  axis.splits = () => powersOfTen(range);
  axis.filter = (u, splits) => splits;
  chart(id, 132, false, { distr: 3, log: 10, auto: false, range: () => range }, axis,
    dotDrawer(latencies));
}

// Whole powers of ten around everything that is drawn in both charts.
function latencyRange() {
  let low = Infinity;
  let high = 0;
  for (const latencies of [run.reads, run.writes]) {
    for (const us of latencies.latency) {
      low = Math.min(low, Math.max(us, 1) / 1000);
      high = Math.max(high, us / 1000);
    }
  }
  if (high === 0) return [0.1, 1000];
  const power = (value, round) => Math.pow(10, round(Math.log10(value)));
  return [power(low * 0.9, Math.floor), power(high * 1.1, Math.ceil)];
}

function powersOfTen([low, high]) {
  const powers = [];
  for (let value = low; value <= high * 1.001; value *= 10) powers.push(+value.toPrecision(1));
  return powers;
}

function build() {
  const plain = valuesAxis((u, splits) => splits.map(() => ""));
  const rows = Math.max(1, ...run.faults.map((_, i) => rowOf(i) + 1));
  chart("marks", rows * LABEL_ROW + 22, false, { auto: false, range: () => [0, 1] },
    { ...plain, grid: { show: false } }, placeMarks);
  chart("nodes", run.nodes.length * NODE_LANE, false, lanes(run.nodes.length),
    lanesAxis(run.nodes), drawNodes);
  chart("links", run.links.length * LINK_LANE, false, lanes(run.links.length),
    lanesAxis(run.links.map((link) => link.name)), drawLinks);
  const range = latencyRange();
  latencyChart("reads", run.reads, range);
  latencyChart("writes", run.writes, range);
  const highest = highestRate() * 1.05;
  chart("rate", 92, true, { auto: false, range: () => [0, highest] },
    valuesAxis((u, splits) => splits.map((value) => value.toLocaleString("en"))),
    drawRate);
}

// ---- Names of faults and marks of violations: real text over the first lane

// Faults that overlap have their names in rows of their own.
function rowOf(i) {
  const fault = run.faults[i];
  const taken = run.faults.slice(0, i)
    .map((other, j) => (other.began < endOf(fault) && fault.began < endOf(other) ? rowOf(j) : -1));
  let row = 0;
  while (taken.includes(row)) row++;
  return row;
}

function placeMarks(u) {
  u.over.querySelectorAll(".band-label, .violation-mark").forEach((old) => old.remove());
  const width = u.over.clientWidth || u.bbox.width / devicePixelRatio;
  const place = (time) => Math.max(0, Math.min(width, u.valToPos(time, "x")));
  const band = (from, to, text, detail, style, row) => {
    if (to < view.min || from > view.max) return;
    const label = document.createElement("span");
    label.className = "band-label" + style;
    label.style.top = row * LABEL_ROW + "px";
    label.style.left = place(from) + "px";
    label.style.width = place(to) - place(from) + "px";
    label.title = text + " " + detail;
    label.append(text + " ");
    const small = document.createElement("small");
    small.textContent = detail;
    label.append(small);
    u.over.append(label);
  };
  run.faults.forEach((fault, i) => {
    const detail = fault.name + " · " + fault.sides;
    band(fault.began, endOf(fault), fault.label, detail, "", rowOf(i));
  });
  for (const phase of run.phases) {
    if (phase.name !== "partition") band(phase.from, phase.to, phase.name, "", " phase", 0);
  }
  run.violations.forEach((item, i) => {
    if (item.to < view.min || item.to > view.max) return;
    const mark = document.createElement("a");
    mark.className = "violation-mark";
    mark.href = "#" + item.id;
    mark.style.left = place(item.to) + "px";
    mark.title = item.check + ": " + item.sentence;
    mark.textContent = i + 1;
    u.over.append(mark);
  });
}

// ---- Zoom and pan: one view for all lanes

function setView(from, to) {
  const span = Math.min(Math.max(to - from, 0.002), run.end - run.begin);
  const min = Math.min(Math.max(from, run.begin), run.end - span);
  view = { min, max: min + span };
  for (const u of charts) u.setScale("x", view);
}

function showAll() {
  setView(run.begin, run.end);
}

function zoom(factor) {
  const middle = (view.min + view.max) / 2;
  const half = ((view.max - view.min) / 2) * factor;
  setView(middle - half, middle + half);
}

function pan(share) {
  const step = (view.max - view.min) * share;
  setView(view.min + step, view.max + step);
}

// Shows the next or the previous violation with what surrounds it.
function goTo(step) {
  const count = run.violations.length;
  if (count === 0) return;
  current = current < 0 && step < 0 ? count - 1 : (current + step + count) % count;
  const item = run.violations[current];
  const around = Math.max(0.5, (item.to - item.from) * 0.4);
  setView(item.from - around, item.to + around);
  const line = byId("violation");
  line.textContent = "Violation " + (current + 1) + " of " + count + ", " + item.check +
    ": " + item.sentence + " ";
  const link = document.createElement("a");
  link.href = "#" + item.id;
  link.textContent = "its witness";
  line.append(link);
  if (hero.getBoundingClientRect().bottom < 0 || hero.getBoundingClientRect().top > innerHeight) {
    byId("timeline").scrollIntoView();
  }
}

const KEYS = {
  ArrowLeft: () => pan(-0.2),
  ArrowRight: () => pan(0.2),
  "+": () => zoom(0.6),
  "=": () => zoom(0.6),
  "-": () => zoom(1 / 0.6),
  0: showAll,
  n: () => goTo(1),
  p: () => goTo(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

// ---- Values under the pointer

function showValues(u) {
  const left = u.cursor.left;
  if (left === undefined || left < 0 || u.cursor.event === null) return;
  const time = u.posToVal(left, "x");
  if (!(time >= run.begin && time <= run.end)) return;
  const bin = Math.min(Math.floor(time / run.bin), run.answered[0] ? run.answered[0].length - 1 : 0);
  const faults = run.faults.filter((fault) => fault.began <= time && time <= endOf(fault));
  const phase = run.phases.find((phase) => phase.from <= time && time < phase.to);
  const where = faults.map((fault) => fault.label + ", " + fault.name + " (" + fault.sides + ")")
    .join("; ") || (phase ? phase.name : "");
  const nodes = run.nodes.map((name, node) => {
    const counts = ENDINGS.map((ending) => run[ending][node][bin]);
    const parts = ENDINGS.map((ending, i) => counts[i] + " " + ending).filter((_, i) => counts[i] > 0);
    return name + ": " + (parts.join(", ") || "idle");
  });
  const down = run.links.filter((l) => l.down.some(([a, b]) => a <= time && time < b)).map((l) => l.name);
  const lines = [
    time.toFixed(3) + " s" + (where ? " · " + where : ""),
    nodes.join(" · "),
    latencyWords("reads", run.reads, time) + " · " + latencyWords("writes", run.writes, time) +
      (down.length ? " · down: " + down.join(", ") : ""),
  ];
  const dot = nearestDot(u, left, u.cursor.top);
  if (dot) lines[0] += " · " + dot;
  readout.replaceChildren();
  lines.forEach((line, i) => {
    if (i > 0) readout.append(document.createElement("br"));
    readout.append(line);
  });
}

function latencyWords(name, latencies, time) {
  const at = Math.floor(time / run.window);
  const p50 = latencies.p50[at];
  if (p50 === null || p50 === undefined) return name + ": none answered";
  return name + " p50 " + milliseconds(p50) + ", p99 " + milliseconds(latencies.p99[at]);
}

// The operation under the pointer, if there is one within 8 px.
function nearestDot(u, left, top) {
  const latencies = { "reads-over": run.reads, "writes-over": run.writes }[u.over.id];
  if (!latencies || top < 0) return null;
  const reach = u.posToVal(left + 8, "x") - u.posToVal(left, "x");
  const time = u.posToVal(left, "x");
  let best = null;
  let closest = 64;
  const to = firstAtLeast(latencies.at, time + reach);
  for (let i = firstAtLeast(latencies.at, time - reach); i < to; i++) {
    const dx = u.valToPos(latencies.at[i], "x") - left;
    const dy = u.valToPos(latencies.latency[i], "y") - top;
    if (dx * dx + dy * dy < closest) {
      closest = dx * dx + dy * dy;
      best = i;
    }
  }
  if (best === null) return null;
  return "this dot: " + run.nodes[latencies.node[best]] + ", " + latencies.at[best].toFixed(3) +
    " s, " + milliseconds(latencies.latency[best]) + ", " + ENDINGS[latencies.ending[best]];
}

// ---- The page changes its size, its colours, or goes to paper

function resize(width) {
  for (const u of charts) {
    const own = width || u.root.parentElement.clientWidth;
    u.setSize({ width: own, height: u.height });
  }
}

function repaint() {
  readColours();
  for (const u of charts) u.redraw(false, true);
}

readColours();
build();
addEventListener("resize", () => resize());
addEventListener("beforeprint", () => { repaint(); resize(680); });
addEventListener("afterprint", () => { repaint(); resize(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
