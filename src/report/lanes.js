// What is drawn in each lane of the timeline, and how. The page's other script, report.js, makes
// the charts and moves them. All of the data is in the page; times are in seconds.
"use strict";

const run = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

const ENDINGS = ["answered", "failed", "indeterminate"];
let colours = {};
let patterns = {};
let view = { min: run.begin, max: run.end };

// ---- Colours and patterns, from the style sheet

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ink", "soft", "faint", "rule", "answered", "failed",
    "indeterminate", "pattern", "fault", "read-dot", "line", "bad"]) {
    colours[name] = style.getPropertyValue("--" + name).trim();
  }
  patterns = {
    answered: colours.answered,
    failed: tile("failed", (ctx, size) => {
      ctx.strokeStyle = colours.pattern;
      ctx.lineWidth = size / 5;
      ctx.beginPath();
      for (const shift of [-size, 0, size]) {
        ctx.moveTo(shift, size);
        ctx.lineTo(shift + size, 0);
      }
      ctx.stroke();
    }),
    indeterminate: tile("indeterminate", (ctx, size) => {
      ctx.fillStyle = colours.pattern;
      const dot = size / 3;
      ctx.fillRect(0, 0, dot, dot);
      ctx.fillRect(size / 2, size / 2, dot, dot);
    }),
  };
}

function tile(colour, draw) {
  const size = Math.round(6 * devicePixelRatio);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = canvas.getContext("2d");
  ctx.fillStyle = colours[colour];
  ctx.fillRect(0, 0, size, size);
  draw(ctx, size);
  return ctx.createPattern(canvas, "repeat");
}

// ---- Small things

const px = (n) => n * devicePixelRatio;
const xOf = (u, time) => u.valToPos(time, "x", true);
const yOf = (u, value) => u.valToPos(value, "y", true);

const endOf = (fault) => (fault.healed === null ? run.end : fault.healed);

// The offset of each item from the one before it, summed up: in seconds.
function times(steps) {
  let sum = 0;
  return steps.map((step) => (sum += step) / 1e4);
}

function milliseconds(value) {
  if (value >= 1000) return +(value / 1000).toPrecision(3) + " s";
  if (value >= 1) return +value.toPrecision(3) + " ms";
  return +(value * 1000).toPrecision(3) + " µs";
}

// Position of the first item that is not less than `value`.
function firstAtLeast(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function clip(u, draw) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, bbox);
  ctx.restore();
}

// ---- What is drawn behind every lane

function drawFaults(u) {
  clip(u, (ctx, bbox) => {
    for (const fault of run.faults) {
      const from = xOf(u, fault.began);
      const to = xOf(u, endOf(fault));
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = colours.fault;
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
      ctx.globalAlpha = 0.9;
      ctx.strokeStyle = colours.fault;
      ctx.lineWidth = px(1);
      ctx.setLineDash(fault.confirmed ? [] : [px(3), px(3)]);
      ctx.beginPath();
      for (const x of [from, to]) {
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
      }
      ctx.stroke();
      ctx.setLineDash([]);
    }
    ctx.globalAlpha = 1;
    drawViolations(u, ctx, bbox);
  });
}

function drawViolations(u, ctx, bbox) {
  ctx.strokeStyle = colours.bad;
  ctx.lineWidth = px(1);
  ctx.setLineDash([px(2), px(3)]);
  ctx.beginPath();
  for (const item of run.violations) {
    const x = xOf(u, item.to);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

// ---- Lanes

// Columns of bins, as many bins to a column as two pixels need.
function columns(u, visit) {
  const bins = run.nodes.length ? run.answered[0].length : 0;
  const width = xOf(u, run.bin) - xOf(u, 0);
  const step = Math.max(1, Math.ceil(px(2) / width));
  const first = Math.max(0, Math.floor(view.min / run.bin / step) * step);
  const last = Math.min(bins, Math.ceil(view.max / run.bin) + 1);
  for (let bin = first; bin < last; bin += step) {
    const left = Math.round(xOf(u, bin * run.bin));
    const right = Math.round(xOf(u, Math.min(bin + step, bins) * run.bin));
    visit(bin, Math.min(bin + step, bins), left, right - left);
  }
}

function sum(row, from, to) {
  let total = 0;
  for (let i = from; i < to; i++) total += row[i];
  return total;
}

// From below: answered, failed, indeterminate. Heights are shares.
function drawNodes(u) {
  clip(u, (ctx) => {
    run.nodes.forEach((_, node) => {
      const top = yOf(u, node + 0.1);
      const bottom = yOf(u, node + 0.9);
      columns(u, (from, to, left, width) => {
        const counts = ENDINGS.map((ending) => sum(run[ending][node], from, to));
        const total = counts[0] + counts[1] + counts[2];
        if (total === 0) {
          ctx.fillStyle = colours.faint;
          ctx.fillRect(left, (top + bottom) / 2 - px(0.5), width, px(1));
          return;
        }
        let below = bottom;
        ENDINGS.forEach((ending, i) => {
          const height = (counts[i] / total) * (bottom - top);
          ctx.fillStyle = patterns[ending];
          ctx.fillRect(left, below - height, width, height);
          below -= height;
        });
      });
    });
  });
}

function drawLinks(u) {
  clip(u, (ctx) => {
    run.links.forEach((link, lane) => {
      const middle = yOf(u, lane + 0.5);
      const known = link.known_from === null ? run.end : link.known_from;
      const bar = (from, to, height, fill) => {
        ctx.fillStyle = fill;
        ctx.fillRect(xOf(u, from), middle - px(height) / 2, xOf(u, to) - xOf(u, from), px(height));
      };
      ctx.strokeStyle = colours.faint;
      ctx.lineWidth = px(1.5);
      ctx.setLineDash([px(1.5), px(4)]);
      ctx.beginPath();
      ctx.moveTo(xOf(u, 0), middle);
      ctx.lineTo(xOf(u, known), middle);
      ctx.stroke();
      ctx.setLineDash([]);
      bar(known, run.end, 1.5, colours.answered);
      for (const [from, to] of link.down) bar(from, to, 8, patterns.failed);
    });
  });
}

function dotDrawer(latencies) {
  return (u) => clip(u, (ctx) => {
    const from = firstAtLeast(latencies.at, view.min - 1);
    const to = firstAtLeast(latencies.at, view.max);
    const size = px(2.4);
    ctx.lineWidth = px(1.2);
    for (let i = from; i < to; i++) {
      const x = xOf(u, latencies.at[i]);
      const y = yOf(u, latencies.latency[i]);
      if (latencies.ending[i] === 0) {
        ctx.globalAlpha = 0.5;
        ctx.fillStyle = colours["read-dot"];
        ctx.fillRect(x - size / 2, y - size / 2, size, size);
        continue;
      }
      ctx.globalAlpha = 0.85;
      ctx.beginPath();
      if (latencies.ending[i] === 1) {
        ctx.strokeStyle = colours.failed;
        ctx.moveTo(x - size, y - size);
        ctx.lineTo(x + size, y + size);
        ctx.moveTo(x - size, y + size);
        ctx.lineTo(x + size, y - size);
      } else {
        ctx.strokeStyle = colours.indeterminate;
        ctx.arc(x, y, size, 0, 7);
      }
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
    drawQuantile(u, ctx, latencies.p50, []);
    drawQuantile(u, ctx, latencies.p99, [px(5), px(4)]);
  });
}

// A step per window; nothing where nothing was answered.
function drawQuantile(u, ctx, values, dash) {
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = px(1.6);
  ctx.setLineDash(dash);
  ctx.beginPath();
  let connected = false;
  values.forEach((value, i) => {
    if (value !== null) {
      const y = yOf(u, value);
      const from = xOf(u, i * run.window);
      if (connected) ctx.lineTo(from, y);
      else ctx.moveTo(from, y);
      ctx.lineTo(xOf(u, Math.min((i + 1) * run.window, run.end)), y);
    }
    connected = value !== null;
  });
  ctx.stroke();
  ctx.setLineDash([]);
}

function drawRate(u) {
  clip(u, (ctx) => {
    columns(u, (from, to, left, width) => {
      const seconds = (to - from) * run.bin;
      let below = 0;
      for (const ending of ENDINGS) {
        let total = 0;
        for (const row of run[ending]) total += sum(row, from, to);
        const above = below + total / seconds;
        ctx.fillStyle = patterns[ending];
        ctx.fillRect(left, yOf(u, above), width, yOf(u, below) - yOf(u, above));
        below = above;
      }
    });
  });
}
