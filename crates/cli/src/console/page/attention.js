// What waits and what needs a person, in groups with the same reason.

import { get, vendorPath } from "./api.js";
import { failure, h, say, table, to } from "./dom.js";
import { replay } from "./replay.js";
import { count, entities, time } from "./words.js";

const KINDS = [["parked", "waiting"], ["rejected", "rejected"], ["dead", "dead"]];
const PAGE = 25;

/** The lists of all vendors; `name` and `kind` say which one is open. */
export function attention(name, kind) {
  const tabs = h("nav", { class: "tabs", "aria-label": "Lists" });
  const list = h("div", { "aria-live": "polite" });
  const links = new Map();
  let isLoaded = false;
  const element = h("section", {}, h("h1", { tabindex: "-1" }, "Attention"), tabs, list);

  async function load() {
    list.replaceChildren(h("p", { class: "quiet" }, "Reading…"));
    try {
      const answer = await get(vendorPath(name, "attention"), { kind });
      list.replaceChildren(...shown(answer, load));
    } catch (error) {
      list.replaceChildren(failure(error, load));
    }
  }

  return {
    element,
    update(data) {
      for (const vendor of data.vendors) {
        if (!links.has(vendor.vendor)) {
          links.set(vendor.vendor, row(vendor.vendor, name, kind));
          tabs.append(links.get(vendor.vendor).element);
        }
        links.get(vendor.vendor).update(vendor);
      }
      if (isLoaded) return;
      isLoaded = true;
      if (name) load();
      else list.replaceChildren(h("p", { class: "quiet" }, "Choose a list."));
    },
  };
}

function row(vendor, name, kind) {
  const links = KINDS.map(([of, field]) => {
    const number = h("strong", {});
    const current = vendor === name && of === kind ? "page" : null;
    return { field, number, element: h("a", { href: to("attention", vendor, of), "aria-current": current }, `${of} `, number) };
  });
  return {
    element: h("div", {}, h("span", { class: "of" }, vendor), links.map((link) => link.element)),
    update(known) {
      for (const link of links) {
        say(link.number, count(known[link.field]));
        link.element.classList.toggle("none", !known[link.field]);
      }
    },
  };
}

function shown(answer, load) {
  if (answer.groups.length === 0) return [h("p", { class: "quiet" }, `Nothing of ${answer.vendor} is ${answer.kind}.`)];
  const rest = answer.total > answer.shown
    ? h("p", { class: "quiet" }, `The ${answer.kind === "parked" ? "soonest due" : "newest"} ${count(answer.shown)} of ${count(answer.total)}.`)
    : null;
  return [rest, ...answer.groups.map((group) => groupOf(answer, group, load))].filter(Boolean);
}

function groupOf(answer, group, load) {
  const keys = group.entities.map((entry) => entry.entity);
  const place = [group.stage && `at ${group.stage}`, group.step && `step ${group.step}`, group.field, group.code && `code ${group.code}`, group.status && `status ${group.status}`];
  const action = h("button", {
    type: "button",
    onclick: () => replay(answer.vendor, keys, load),
  }, `Replay ${entities(keys.length)}…`);
  const pages = h("div", {});
  let from = 0;
  function page() {
    const some = group.entities.slice(from, from + PAGE);
    const isParked = answer.kind === "parked";
    const header = ["Entity", "Since (UTC)", ...(isParked ? ["Next try"] : []), "Failed tries", "Reason"];
    const rows = some.map((entry) => [
      h("a", { href: to("entity", answer.vendor, entry.entity) }, entry.entity),
      time(entry.since), ...(isParked ? [time(entry.wake_at)] : []), count(entry.attempts), entry.reason ?? "–",
    ]);
    const turn = (by) => () => {
      from += by;
      page();
    };
    const turns = group.entities.length > PAGE
      ? h("div", { class: "buttons" },
        h("button", { type: "button", disabled: from === 0, onclick: turn(-PAGE) }, "Earlier in the list"),
        h("span", { class: "quiet" }, `${from + 1} to ${from + some.length} of ${count(group.entities.length)}`),
        h("button", { type: "button", disabled: from + PAGE >= group.entities.length, onclick: turn(PAGE) }, "Later in the list"))
      : null;
    pages.replaceChildren(table(`Entities: ${group.reason ?? "no reason"}`, header, rows), ...(turns ? [turns] : []));
  }
  page();
  return h("article", { class: "card group" },
    h("header", {}, h("h2", {}, group.reason ?? "No reason is recorded"), action),
    h("p", { class: "place" }, place.filter(Boolean).map((part) => h("code", {}, part)), h("span", { class: "quiet" }, ` ${group.error ?? ""} · ${entities(keys.length)}`)),
    pages);
}
