// One entity: where it stands at all vendors, and what became of it at one.

import { get, vendorPath } from "./api.js";
import { facts, failure, h, to } from "./dom.js";
import { replay } from "./replay.js";
import { count, duration, time } from "./words.js";

/** Where an entity stands, vendor by vendor. */
export function everywhere(key) {
  return read(`Entity ${key}`, () => get("/api/entities", { key }), (answer) => [
    h("div", { class: "vendors" }, answer.vendors.map((at) => h("article", { class: "card" },
      h("header", {}, h("h2", {}, h("a", { href: to("entity", at.vendor, answer.entity) }, at.vendor)), badge(at.record?.status)),
      summary(at)))),
  ]);
}

/** Why an entity is or is not at one vendor, and what happened to it. */
export function entity(vendor, key) {
  let days = 1;
  return read(key, () => get(vendorPath(vendor, "entity"), { key, days }), (answer, again) => {
    const at = answer.status.vendors[0];
    const further = h("select", { "aria-label": "How far to look back", onchange: (event) => {
      days = Number(event.target.value);
      again();
    } }, [[1, "24 hours"], [7, "7 days"], [30, "30 days"], [90, "90 days"]].map(([value, words]) => h("option", { value, selected: value === days }, words)));
    return [
      h("div", { class: "title" }, h("span", {}, "at ", h("a", { href: to("vendor", vendor) }, vendor)), badge(answer.why.status),
        h("div", { class: "buttons" }, h("a", { href: to("find", answer.why.entity) }, "At all vendors"),
          h("button", { type: "button", onclick: () => replay(vendor, [answer.why.entity], again) }, "Replay…"))),
      why(answer.why),
      h("details", { class: "card" }, h("summary", {}, "The record"), summary(at)),
      h("div", { class: "title" }, h("h2", {}, "Timeline"), h("div", { class: "buttons" }, further)),
      ...timeline(answer.timeline),
    ];
  });
}

function why(answer) {
  const next = answer.next
    ? h("p", {}, h("strong", {}, "Next: "), answer.next.reason, answer.next.command ? [h("br"), h("code", {}, answer.next.command)] : null)
    : null;
  return h("article", { class: "card" },
    h("h2", {}, answer.is_at_vendor ? "It is up to date at the vendor" : "It is not up to date at the vendor"),
    h("ul", { class: "why" }, answer.findings.map((finding) => h("li", {}, finding.sentence))), next);
}

const KINDS = { SYNCED: "good", DELETED: "good", UNCHANGED: "good", PARKED: "warn", REJECTED: "bad", DEAD: "bad" };

// The newest first: that is what people come for.
function timeline(answer) {
  const { count: left, keys } = answer.unreadable;
  const more = left > keys.length ? ` and ${count(left - keys.length)} more` : "";
  const troubles = left === 0 ? null
    : h("p", { class: "failure" }, `${left === 1 ? "1 event record" : `${count(left)} event records`} not readable, and left out: ${keys.join(", ")}${more}`);
  if (answer.events.length === 0) return [troubles, h("p", { class: "quiet" }, "No event in this time.")].filter(Boolean);
  return [troubles, h("ol", { class: "timeline", reversed: true }, [...answer.events].reverse().map((event) => h("li", { class: KINDS[event.status] ?? "" },
    h("div", { class: "title" }, badge(event.status), h("span", {}, time(event.event_time)), h("span", { class: "quiet" }, event.detail_type ?? "")),
    event.error ? h("p", { class: "point" }, h("strong", {}, ["failed at", event.error.stage, event.error.step && `step ${event.error.step}`, event.error.field].filter(Boolean).join(" ")),
      `: ${event.error.reason}`, event.error.code ? [" ", h("code", {}, event.error.code)] : null) : null,
    steps(event),
    facts([
      ["settled", `${duration(event.freshness_ms)} after the event${event.attempt ? `, at try ${event.attempt}` : ""}`],
      ["next try", event.wake_at && time(event.wake_at)],
      ["done by", event.by_event],
      ["kept out by rule", event.rule],
      ["id at the vendor", event.link],
      ["receipt", event.receipt],
      ["version", event.version],
      ["took", [event.source_ms !== null && `source ${duration(event.source_ms)}`, event.vendor_ms !== null && `vendor ${duration(event.vendor_ms)}`].filter(Boolean).join(", ")],
      ["event", h("code", {}, event.event_id)],
      ["request", event.request_id && h("code", {}, event.request_id)],
    ]))))].filter(Boolean);
}

// Each step of the plan with how it went: done, then those that are not.
function steps(event) {
  if (event.steps.length + event.not_done.length === 0) return null;
  return h("ol", { class: "steps" },
    event.steps.map((step) => h("li", {}, h("span", { class: "done" }, "done "), step.name, step.id ? [" ", h("code", {}, step.id)] : null, step.took_ms === null ? null : h("span", { class: "quiet" }, ` ${duration(step.took_ms)}`))),
    event.not_done.map((name) => h("li", {}, h("span", { class: "undone" }, "not done "), name)));
}

// A view that asks once, and again when it is told to.
function read(title, ask, show) {
  const body = h("div", { class: "body" });
  async function load() {
    try {
      body.replaceChildren(...show(await ask(), load));
    } catch (error) {
      body.replaceChildren(failure(error, load));
    }
  }
  body.append(h("p", { class: "quiet" }, "Reading…"));
  load();
  return { element: h("section", {}, h("h1", { tabindex: "-1" }, title), body), update() {} };
}

function badge(status) {
  return h("span", { class: `badge ${(status ?? "unknown").toLowerCase()}` }, status ?? "Never seen");
}

function summary(at) {
  const record = at.record;
  if (!record) return h("p", {}, `${at.vendor} never heard of it.`);
  const error = record.error ?? record.parked?.error;
  return facts([
    ["reason", error?.reason],
    ["at", error && [error.stage, error.step && `step ${error.step}`, error.field, error.code].filter(Boolean).join(" · ")],
    ["next try", record.parked && time(record.parked.wake_at)],
    ["kept out by rule", record.rule],
    ["id at the vendor", record.link],
    ["version", record.version],
    ["read from the source", record.read_at && time(record.read_at)],
    ["settled", time(record.settled_at)],
    ["failed tries", record.attempts ? count(record.attempts) : null],
    ["unsure", record.unsure ? "what the vendor holds is uncertain; the next sync takes no shortcut" : null],
  ]);
}
