// Small charts: six hours in steps of five minutes. The words beside them say the same.

import { h, s } from "./dom.js";
import { clock, count, duration } from "./words.js";

const WIDTH = 288;
const HEIGHT = 56;

/** What can be drawn of a vendor's steps. */
export const CHARTS = [
  {
    title: "Event to vendor",
    unit: duration,
    lines: [
      { name: "p99", of: (step) => step.p99_ms, kind: "second" },
      { name: "p50", of: (step) => step.p50_ms, kind: "first" },
    ],
  },
  {
    title: "Settled per 5 min",
    unit: count,
    bars: [
      { name: "up to date", of: (step) => step.reached, kind: "first" },
      { name: "no work", of: (step) => step.spared, kind: "pale" },
    ],
  },
  {
    title: "Trouble per 5 min",
    unit: count,
    bars: [
      { name: "parked", of: (step) => step.parked, kind: "warn" },
      { name: "failed", of: (step) => step.failed, kind: "bad" },
    ],
  },
  {
    title: "On their way",
    unit: count,
    lines: [{ name: "sent, not settled", of: (step) => step.under_way, kind: "first" }],
  },
];

/** A chart with its title, its legend and the highest value. */
export function chart(kind, series) {
  const parts = kind.bars ?? kind.lines;
  const steps = series.steps;
  const sums = steps.map((step) => {
    const values = parts.map((part) => part.of(step) ?? 0);
    return kind.bars ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
  });
  const top = Math.max(1, ...sums);
  const highest = Math.max(0, ...sums);
  const drawing = s("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${kind.title} over six hours, at most ${kind.unit(highest)}`,
  }, kind.bars ? bars(parts, steps, top) : lines(parts, steps, top));
  const legend = parts.map((part) => h("span", { class: `key ${part.kind}` }, part.name));
  return h("figure", { class: "chart" },
    h("figcaption", {}, h("span", {}, kind.title), h("span", { class: "quiet" }, `max ${kind.unit(highest)}`)),
    drawing,
    h("div", { class: "axis" }, h("span", {}, clock(series.since).slice(0, 5)), h("span", { class: "legend" }, legend), h("span", {}, "now")));
}

function bars(parts, steps, top) {
  const width = WIDTH / steps.length;
  return steps.flatMap((step, at) => {
    let base = HEIGHT;
    return parts.map((part) => {
      const height = ((part.of(step) ?? 0) / top) * (HEIGHT - 2);
      base -= height;
      if (height === 0) return null;
      return s("rect", { x: at * width + 0.5, y: base, width: width - 1, height, class: part.kind });
    });
  });
}

// Steps without a value interrupt the line; one alone is a dot.
function lines(parts, steps, top) {
  const width = WIDTH / steps.length;
  return parts.map((part) => {
    let path = "";
    let isDown = false;
    steps.forEach((step, at) => {
      const value = part.of(step);
      if (value === null || value === undefined) {
        isDown = false;
        return;
      }
      const x = (at + 0.5) * width;
      const y = HEIGHT - 1 - (value / top) * (HEIGHT - 4);
      path += isDown ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}l0 0`;
      isDown = true;
    });
    return path ? s("path", { d: path, class: part.kind }) : null;
  });
}
