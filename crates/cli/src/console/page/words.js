// Numbers, times and states in words.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds as people say them. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${ms} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / 1000)} s`;
  if (ms < 2 * HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} h`;
  return `${Math.round(ms / DAY)} d`;
}

/** How long ago, or how long until. */
export function relative(time, now = Date.now()) {
  const away = Date.parse(time) - now;
  if (Math.abs(away) < 1000) return "now";
  return away < 0 ? `${duration(-away)} ago` : `in ${duration(away)}`;
}

/** UTC, whole seconds, and how long ago. */
export function time(text) {
  if (!text) return "–";
  const clean = new Date(text).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
  return `${clean} (${relative(text)})`;
}

/** The time of day, UTC. */
export function clock(text) {
  return `${new Date(text).toISOString().slice(11, 19)}Z`;
}

/** A count; null is unknown. */
export function count(number) {
  return number === null || number === undefined ? "–" : number.toLocaleString("en");
}

/** A count that may be too low. */
export function counted(number, isWhole) {
  return isWhole || number === null || number === undefined ? count(number) : `≥ ${count(number)}`;
}

/** `1 entity`, `2 entities`. */
export function entities(number) {
  return number === 1 ? "1 entity" : `${count(number)} entities`;
}

const STATES = {
  running: "Running",
  paused: "Paused",
  "circuit-open": "Circuit open",
  "half-open": "Probing",
};

/** A vendor's state in a word. */
export function state(vendor) {
  return STATES[vendor.state] ?? "Unknown";
}

/** Why a vendor is not called; empty if it is. */
export function standing(vendor) {
  if (vendor.pause) {
    const until = vendor.pause.until ? ` until ${time(vendor.pause.until)}` : " until it is resumed";
    const reason = vendor.pause.reason ? `: ${vendor.pause.reason}` : ", no reason given";
    return `Paused since ${time(vendor.pause.since)}${until}${reason}`;
  }
  if (vendor.circuit) {
    const next = vendor.state === "half-open" ? "probes are due" : `probes from ${time(vendor.circuit.probes_from)}`;
    return `Not called since ${time(vendor.circuit.since)}: ${vendor.circuit.reason}; ${next}`;
  }
  return "";
}
