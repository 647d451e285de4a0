// Which view is open, and what all views share.

import { admit, follow } from "./api.js";
import { attention } from "./attention.js";
import { h, say, to } from "./dom.js";
import { entity, everywhere } from "./entity.js";
import { overview, vendor } from "./vendors.js";
import { clock, count } from "./words.js";

const content = document.getElementById("content");
const live = document.getElementById("live");
const trouble = document.getElementById("trouble");
const search = document.getElementById("search");
const key = document.getElementById("search-key");

let view = null;
let latest = null;

const VIEWS = {
  "": () => overview(),
  vendor: (name) => vendor(name ?? ""),
  attention: (name, kind) => attention(name, kind ?? "parked"),
  entity: (name, wanted) => entity(name ?? "", wanted ?? ""),
  find: (wanted) => everywhere(wanted ?? ""),
};

/** The parts of the address behind `#/`; one that is not well encoded is taken as it is. */
function parts() {
  return location.hash.replace(/^#\/?/, "").split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

function route(isFirst) {
  document.getElementById("dialog").close();
  const [name, ...rest] = parts();
  const make = Object.hasOwn(VIEWS, name) ? VIEWS[name] : VIEWS[""];
  view = make(...rest);
  content.replaceChildren(view.element);
  document.getElementById("to-vendors").toggleAttribute("aria-current", name === "" || name === "vendor");
  document.getElementById("to-attention").toggleAttribute("aria-current", name === "attention");
  const heading = content.querySelector("h1");
  document.title = name === "" ? "Vendorbridge" : `${heading?.textContent} · Vendorbridge`;
  if (!isFirst) heading?.focus();
  scrollTo(0, 0);
  if (latest) view.update(latest);
}

function told(overview) {
  latest = overview;
  say(document.getElementById("stack"), overview.stack);
  const waiting = overview.vendors.reduce((sum, vendor) => sum + (vendor.waiting ?? 0) + (vendor.rejected ?? 0) + (vendor.dead ?? 0), 0);
  say(document.getElementById("attention-count"), waiting ? count(waiting) : "");
  say(live, `live · ${clock(overview.at)}`);
  view.update(overview);
}

function lost(error) {
  live.classList.toggle("lost", error !== null);
  trouble.hidden = error === null;
  if (error) {
    say(live, "not live");
    say(trouble, [error.message, error.advice].filter(Boolean).join(". "));
  }
}

search.addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = key.value.trim();
  if (wanted) location.hash = to("find", wanted);
});

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, dialog");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  key.focus();
  key.select();
});

if (admit()) {
  addEventListener("hashchange", () => {
    // Somebody opened the address of a new start in this tab.
    if (location.hash.startsWith("#token=")) location.reload();
    else route(false);
  });
  route(true);
  follow(told, lost);
} else {
  say(live, "no token");
  content.replaceChildren(h("section", {}, h("h1", {}, "The address is not complete"),
    h("p", {}, "Open the address that `vendorbridge console` has printed, with all that stands behind #token=. It is another one for each start.")));
}
