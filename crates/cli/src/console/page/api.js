// Questions to the console's server, which shows the page only with the token of its start.

const TOKEN = "x-vendorbridge-token";
const KEPT = "vendorbridge-token";

/** Takes the token out of the address, so that it is in no bookmark and no screenshot. False if there is none. */
export function admit() {
  const shown = /^#token=([0-9a-f]+)$/.exec(location.hash);
  if (shown) {
    sessionStorage.setItem(KEPT, shown[1]);
    history.replaceState(null, "", "#/");
  }
  return sessionStorage.getItem(KEPT) !== null;
}

/** A question that failed; `advice` says what to do, if the message does not. */
export class Failed extends Error {
  constructor(status, answer) {
    super(answer?.error ?? `expected an answer, found status ${status}`);
    this.status = status;
    this.advice = answer?.advice ?? null;
  }
}

const GONE = { error: "expected an answer of the console, found none", advice: "Is `vendorbridge console` still running? Start it again and open the address that it prints." };

async function call(path, options = {}) {
  const headers = { ...options.headers, [TOKEN]: sessionStorage.getItem(KEPT) ?? "" };
  const answer = await fetch(path, { ...options, headers }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Failed(0, GONE);
  });
  if (answer.ok) return answer;
  throw new Failed(answer.status, await answer.json().catch(() => null));
}

/** Asks. `query` holds what stands behind the question mark. */
export async function get(path, query = {}) {
  const behind = new URLSearchParams(query).toString();
  return (await call(behind ? `${path}?${behind}` : path)).json();
}

/** Acts. */
export async function post(path, body) {
  const headers = { "content-type": "application/json" };
  return (await call(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** The path of something about a vendor. */
export function vendorPath(vendor, what) {
  return `/api/vendors/${encodeURIComponent(vendor)}/${what}`;
}

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/**
 * Fresh numbers for as long as the page is seen. `tell` gets each overview, `lost` why there is none (null once there is again).
 * EventSource cannot show a token, so the stream is read by hand.
 */
export function follow(tell, lost) {
  let current = null;
  let pause = FIRST_PAUSE;
  let waiting = null;

  async function run() {
    clearTimeout(waiting);
    const controller = new AbortController();
    current = controller;
    try {
      const answer = await call("/api/live", { signal: controller.signal });
      for await (const overview of events(answer.body)) {
        pause = FIRST_PAUSE;
        lost(null);
        tell(overview);
      }
      throw new Failed(0, GONE);
    } catch (error) {
      if (controller.signal.aborted) return;
      lost(error);
      waiting = setTimeout(run, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
  }

  document.addEventListener("visibilitychange", () => {
    current?.abort();
    clearTimeout(waiting);
    if (!document.hidden) run();
  });
  run();
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length > 0) yield JSON.parse(data.join("\n"));
    }
  }
}
