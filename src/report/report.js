// Draws the timeline: one axis of time for every lane, with zoom, pan and values under the
// pointer. All of the data is in the page; nothing is loaded. Times are in seconds.
(function () {
  "use strict";

  const run = JSON.parse(document.getElementById("data").textContent);
  const hero = document.getElementById("hero");
  const readout = document.getElementById("readout");
  const byId = (id) => document.getElementById(id);

  const LABELS = 92; // px left of every lane, so that all lanes share one axis
  const NODE_LANE = 24;
  const LINK_LANE = 13;
  const ENDINGS = ["answered", "failed", "indeterminate"];
  // Every lane draws itself; the chart only needs an axis.
  const NO_DATA = [[0, run.end], [null, null]];
  let colours = {};
  let patterns = {};
  let view = { min: 0, max: run.end };
  let violation = -1;
  const charts = [];

  // ---- Colours and patterns, from the style sheet

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["ink", "soft", "faint", "rule", "page", "answered", "failed",
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

  function shorten(ctx, text, room) {
    if (ctx.measureText(text).width <= room) return text;
    while (text.length > 1 && ctx.measureText(text + "…").width > room) text = text.slice(0, -1);
    return text + "…";
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
        const to = xOf(u, fault.healed === null ? run.end : fault.healed);
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

  function highestRate() {
    let highest = 1;
    for (let bin = 0; run.nodes.length && bin < run.answered[0].length; bin++) {
      let total = 0;
      for (const ending of ENDINGS) for (const row of run[ending]) total += row[bin];
      highest = Math.max(highest, total / run.bin);
    }
    return highest;
  }

  // ---- Charts

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
    const around = y.distr === 3 ? 8 : 2; // room for half a label
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
    chart("marks", 40, false, { auto: false, range: () => [0, 1] },
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

  function placeMarks(u) {
    u.over.querySelectorAll(".band-label, .violation-mark").forEach((old) => old.remove());
    const width = u.over.clientWidth || u.bbox.width / devicePixelRatio;
    const place = (time) => Math.max(0, Math.min(width, u.valToPos(time, "x")));
    const band = (from, to, text, detail, style) => {
      if (to < view.min || from > view.max) return;
      const label = document.createElement("span");
      label.className = "band-label" + style;
      label.style.left = place(from) + "px";
      label.style.width = place(to) - place(from) + "px";
      label.title = text + " " + detail;
      label.append(text + " ");
      const small = document.createElement("small");
      small.textContent = detail;
      label.append(small);
      u.over.append(label);
    };
    for (const fault of run.faults) {
      const to = fault.healed === null ? run.end : fault.healed;
      band(fault.began, to, fault.label, fault.name + " · " + fault.sides, "");
    }
    for (const phase of run.phases) {
      if (phase.name !== "partition") band(phase.from, phase.to, phase.name, "", " phase");
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
    const span = Math.min(Math.max(to - from, 0.002), run.end);
    const min = Math.min(Math.max(from, 0), run.end - span);
    view = { min, max: min + span };
    for (const u of charts) u.setScale("x", view);
  }

  function showAll() {
    setView(0, run.end);
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
    violation = violation < 0 && step < 0 ? count - 1 : (violation + step + count) % count;
    const item = run.violations[violation];
    const around = Math.max(0.5, (item.to - item.from) * 0.4);
    setView(item.from - around, item.to + around);
    readout.textContent = "Violation " + (violation + 1) + " of " + count + ", " + item.check +
      ": " + item.sentence + " ";
    const link = document.createElement("a");
    link.href = "#" + item.id;
    link.textContent = "its witness";
    readout.append(link);
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
    if (!(time >= 0 && time <= run.end)) return;
    const bin = Math.min(Math.floor(time / run.bin), run.answered[0] ? run.answered[0].length - 1 : 0);
    const fault = run.faults.find((f) => f.began <= time && time <= (f.healed === null ? run.end : f.healed));
    const phase = run.phases.find((p) => p.from <= time && time < p.to);
    const where = fault ? fault.label + ", " + fault.name + " (" + fault.sides + ")" : phase ? phase.name : "";
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
})();
