// Asking for a sync now.

import { post, vendorPath } from "./api.js";
import { confirm } from "./confirm.js";
import { h } from "./dom.js";
import { count, entities } from "./words.js";

const NAMED = 5;

/** Asks, and sends these entities into their lanes. */
export function replay(vendor, keys, done) {
  const named = keys.slice(0, NAMED).map((key) => h("li", {}, h("code", {}, key)));
  const more = keys.length - named.length;
  confirm({
    title: `Replay ${keys.length === 1 ? keys[0] : entities(keys.length)} to ${vendor}?`,
    body: [
      h("p", {}, `The current state is read from the source and sent to ${vendor}, even if it is what was sent last. Nothing goes to other vendors.`),
      keys.length > 1 ? h("ul", {}, named, more > 0 ? h("li", {}, `and ${count(more)} more`) : null) : null,
    ],
    action: keys.length === 1 ? "Replay it" : `Replay ${entities(keys.length)}`,
    done,
    async act() {
      const answer = await post(vendorPath(vendor, "replay"), { entities: keys });
      if (answer.sent === 0) throw new Error(`Nothing was sent: ${answer.refused[0].reason}`);
      const refused = answer.refused.length > 0 ? ` The queue refused ${entities(answer.refused.length)}: ${answer.refused[0].reason}` : "";
      return `${entities(answer.sent)} sent to the queue of ${vendor}.${refused}`;
    },
  });
}
