// Asking before something is done: the dialog names what will happen, does it, and stays if that fails.

import { failure, h } from "./dom.js";

/**
 * Opens the dialog. `body` are its words and fields, `act` does it and answers with what to say then.
 * The focus goes back to where it was.
 */
export function confirm({ title, body, action, isGrave, act, done }) {
  const dialog = document.getElementById("dialog");
  const trouble = h("div", {});
  const yes = h("button", { type: "submit", class: isGrave ? "grave" : "main" }, action);
  const no = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h("form", { onsubmit: submit }, h("h2", { id: "dialog-title" }, title), body, trouble, h("div", { class: "buttons" }, no, yes));

  async function submit(event) {
    event.preventDefault();
    yes.disabled = true;
    trouble.replaceChildren();
    try {
      const words = await act(new FormData(form));
      dialog.close();
      notice(words);
      done?.();
    } catch (error) {
      trouble.replaceChildren(failure(error));
      yes.disabled = false;
    }
  }

  dialog.replaceChildren(form);
  dialog.showModal();
  (form.querySelector("input, select") ?? yes).focus();
}

/** Says what was done, to eyes and to screen readers. */
export function notice(words) {
  const place = document.getElementById("notice");
  place.replaceChildren(h("p", {}, words), h("button", { type: "button", onclick: () => place.replaceChildren() }, "Dismiss"));
}
