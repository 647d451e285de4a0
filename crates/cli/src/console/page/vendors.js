// The overview of all vendors, and one vendor.

import { post, vendorPath } from "./api.js";
import { CHARTS, chart } from "./charts.js";
import { confirm } from "./confirm.js";
import { h, say, table, to } from "./dom.js";
import { clock, count, counted, duration, entities, standing, state } from "./words.js";

/** All vendors, in the order in which they are deployed. */
export function overview() {
  const list = h("div", { class: "vendors" });
  const cards = new Map();
  const element = h("section", {}, h("h1", { tabindex: "-1" }, "Vendors"), list);
  return {
    element,
    update(data) {
      for (const vendor of data.vendors) {
        if (!cards.has(vendor.vendor)) {
          cards.set(vendor.vendor, card(vendor.vendor));
          list.append(cards.get(vendor.vendor).element);
        }
        cards.get(vendor.vendor).update(vendor);
      }
    },
  };
}

// Links stay the same elements while numbers change: who stands on one with the keyboard stays there.
function card(name) {
  const badge = h("span", {});
  const words = h("p", { class: "words" });
  const numbers = h("div", {});
  const charts = h("div", { class: "charts" });
  const troubles = h("div", {});
  const attention = attentionLinks(name);
  const element = h("article", { class: "card" },
    h("header", {}, h("h2", {}, h("a", { href: to("vendor", name) }, name)), badge),
    words, troubles, numbers, attention.element, charts);
  return {
    element,
    update(vendor) {
      show(badge, words, troubles, vendor);
      numbers.replaceChildren(figures(vendor));
      attention.update(vendor);
      charts.replaceChildren(...(vendor.series ? CHARTS.map((kind) => chart(kind, vendor.series)) : []));
    },
  };
}

function show(badge, words, troubles, vendor) {
  badge.className = `badge ${vendor.state ?? "unknown"}`;
  say(badge, state(vendor));
  say(words, standing(vendor));
  words.hidden = words.textContent === "";
  troubles.replaceChildren(...(vendor.problems ?? []).map((problem) => h("p", { class: "failure" }, problem)));
}

function figures(vendor) {
  const series = vendor.series;
  const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h("dl", { class: "figures" },
    figure("fresh, p50", duration(series?.p50_ms)),
    figure("p99", duration(series?.p99_ms)),
    figure("last hour", counted(series?.reached, vendor.is_whole)),
    figure("in queue", count(vendor.backlog)),
    figure("dead letters", count(vendor.dead_letters)));
}

const KINDS = [["parked", "waiting"], ["rejected", "rejected"], ["dead", "dead"]];

function attentionLinks(name) {
  const links = KINDS.map(([kind, field]) => {
    const number = h("strong", {});
    return { field, number, element: h("a", { class: kind, href: to("attention", name, kind) }, number, ` ${kind}`) };
  });
  return {
    element: h("div", { class: "attention-links" }, links.map((link) => link.element)),
    update(vendor) {
      for (const link of links) {
        say(link.number, count(vendor[link.field]));
        link.element.classList.toggle("none", !vendor[link.field]);
      }
    },
  };
}

/** One vendor: all charts, and what can be done with it. */
export function vendor(name) {
  const badge = h("span", {});
  const words = h("p", { class: "words" });
  const troubles = h("div", {});
  const numbers = h("div", {});
  const attention = attentionLinks(name);
  const charts = h("div", { class: "charts wide" });
  const latest = h("div", {});
  let known = null;
  const pauseButton = h("button", { type: "button", onclick: () => pause(name, known) }, "Pause…");
  const resumeButton = h("button", { type: "button", class: "main", hidden: true, onclick: () => resume(name, known) }, "Resume…");
  const element = h("section", {},
    h("div", { class: "title" }, h("h1", { tabindex: "-1" }, name), badge, h("div", { class: "buttons" }, pauseButton, resumeButton)),
    words, troubles, numbers, attention.element, charts,
    h("details", {}, h("summary", {}, "The last hour in numbers"), latest));
  return {
    element,
    update(data) {
      const vendor = data.vendors.find((vendor) => vendor.vendor === name);
      if (!vendor) {
        words.hidden = false;
        say(words, "No vendor of this name is deployed.");
        pauseButton.hidden = true;
        return;
      }
      known = vendor;
      show(badge, words, troubles, vendor);
      say(pauseButton, vendor.pause ? "Change the pause…" : "Pause…");
      resumeButton.hidden = !vendor.pause && !vendor.circuit;
      numbers.replaceChildren(figures(vendor));
      attention.update(vendor);
      charts.replaceChildren(...(vendor.series ? CHARTS.map((kind) => chart(kind, vendor.series)) : []));
      latest.replaceChildren(vendor.series ? lastHour(vendor.series) : "");
    },
  };
}

function lastHour(series) {
  const since = Date.parse(series.since);
  const header = ["From", "Up to date", "Nothing to do", "Parked", "Failed", "On their way", "p50", "p99"];
  const rows = series.steps.map((step, at) => [
    clock(since + at * series.step_seconds * 1000), count(step.reached), count(step.spared), count(step.parked), count(step.failed),
    count(step.under_way), duration(step.p50_ms), duration(step.p99_ms),
  ]);
  return table("The last hour in steps of five minutes", header, rows.slice(-12).reverse());
}

const HOUR = 3_600_000;

function pause(name, known) {
  const waits = known?.waiting ? ` ${entities(known.waiting)} already wait.` : "";
  confirm({
    title: `Pause ${name}?`,
    body: [
      h("p", {}, `${name} is called no more, from now on. Calls that have begun still end. What is to be done for it waits in the ledger; nothing is lost.${waits}`),
      h("label", {}, "Reason, for whoever looks", h("input", { name: "reason", maxlength: "300", autocomplete: "off" })),
      h("label", {}, "It ends", h("select", { name: "hours" },
        h("option", { value: "" }, "when somebody resumes it"),
        [1, 4, 8, 24].map((hours) => h("option", { value: hours }, hours === 1 ? "by itself, in 1 hour" : `by itself, in ${hours} hours`)))),
    ],
    action: `Pause ${name}`,
    isGrave: true,
    async act(form) {
      const hours = Number(form.get("hours"));
      const until = hours ? new Date(Date.now() + hours * HOUR).toISOString() : null;
      const answer = await post(vendorPath(name, "pause"), { reason: form.get("reason") || null, until });
      return answer.changed ? `${name} is paused.` : `${name} was paused already; nothing is changed.`;
    },
  });
}

function resume(name, known) {
  const waits = known?.waiting ? `${entities(known.waiting)} that wait are sent as they fall due, within a minute or two.` : "Nothing waits.";
  const isOpen = Boolean(known?.circuit);
  confirm({
    title: `Resume ${name}?`,
    body: [
      h("p", {}, `${name} is called again. ${waits}`),
      isOpen ? h("label", { class: "inline" }, h("input", { type: "checkbox", name: "probes" }), "Let probes go at once: they close its circuit if they go well") : null,
    ],
    action: `Resume ${name}`,
    async act(form) {
      const answer = await post(vendorPath(name, "resume"), { close_circuit: form.get("probes") === "on" });
      return answer.changed ? `${name} goes on.` : `${name} was not held back; nothing is changed.`;
    },
  });
}
