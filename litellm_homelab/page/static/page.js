"use strict";
// Shows homelab.json. Every text goes in by textContent: names, callers and refusals may be a client's words.

const FAST = 3000; // milliseconds between two questions while the page is seen
const SLOW = 30000; // in a hidden tab
const STALE = 15000; // without an answer for so long, the page says that it is old
const SVG = "http://www.w3.org/2000/svg";

const STATES = {
  up: ["up", "good"], unknown: ["not watched", ""], busy: ["busy", "warn"], limited: ["limited", "warn"],
  unauthorized: ["key refused", "bad"], waking: ["waking", "warn"], asleep: ["asleep", ""],
  fallback: ["fallback answers", "warn"], exhausted: ["quota used up", "bad"], absent: ["absent", "bad"],
};
const minutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const numbers = new Intl.NumberFormat();

let etag = "";
let shown = null;
let answered = 0;
let timer = 0;
let problemsSaid = "";
let trouble = "";

function make(name, options = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") found.textContent = value;
    else if (key === "class") found.className = value;
    else found.setAttribute(key, value);
  }
  found.append(...children.filter((one) => one !== null));
  return found;
}

function place(list, ...children) {
  document.querySelector(`[data-list="${list}"]`).replaceChildren(...children);
}

function pill(state) {
  const [text, kind] = STATES[state] || [state, ""];
  return make("span", { class: `pill ${kind}`, text });
}

function ago(moment) {
  const seconds = Math.max(0, (Date.now() - Date.parse(moment)) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function since(moment) {
  return make("time", { datetime: moment, title: new Date(moment).toLocaleString(), text: ago(moment) });
}

function at(moment) {
  const when = new Date(moment);
  const format = when.toDateString() === new Date().toDateString() ? minutes : Math.abs(Date.now() - when) < 518400000 ? day : date;
  return make("time", { datetime: moment, title: when.toLocaleString(), text: format.format(when) });
}

// A table whose rows become blocks on a phone. Columns are [title, cell of an item, kind]; one without any cell is
// left out.
function table(caption, columns, items) {
  const cells = columns.map(([, cell]) => items.map((item) => cell(item)));
  const used = columns.map((_, index) => index).filter((index) => cells[index].some((one) => one !== null && one !== ""));
  const head = make("tr", {}, ...used.map((index) => make("th", { scope: "col", class: columns[index][2] || "", text: columns[index][0] })));
  const rows = items.map((_, row) => make("tr", {}, ...used.map((index) => {
    const [title, , kind] = columns[index], value = cells[index][row];
    if (index === 0) return make("th", { scope: "row" }, value);
    const empty = value === null || value === "";
    return make("td", { "data-name": title, class: (kind || "") + (empty ? " none" : "") }, empty ? "" : value);
  })));
  return make("table", { class: "wide" }, make("caption", { class: "unseen", text: caption }), make("thead", {}, head), make("tbody", {}, ...rows));
}

function nothing(text) {
  return make("p", { class: "quiet", text });
}

function showProblems(view) {
  const items = view.problems.map((one) => make("li", { class: `problem ${one.severity}` },
    make("p", { class: "what" }, make("span", { class: "unseen", text: `${one.severity}: ` }), one.what),
    make("p", { text: one.first })));
  place("problems", items.length ? make("ul", { class: "problems" }, ...items) : nothing("None. Every server that is watched answers."));
  const said = view.problems.map((one) => one.what).join(" ");
  if (said !== problemsSaid) {
    document.getElementById("announce").textContent = said || (problemsSaid ? "No problems any more." : "");
    problemsSaid = said;
  }
}

function showHandles(view) {
  const places = { hidden: "hidden", internal: "internal" };
  place("handles", table("Handles", [
    ["Handle", (one) => one.name],
    ["State", (one) => pill(one.state), "short"],
    ["Mode", (one) => one.mode + (places[one.place] ? `, ${places[one.place]}` : ""), "short"],
    ["Tokens/s", (one) => (one.tokens_per_second === null ? null : numbers.format(one.tokens_per_second)), "number"],
    ["Waiting", (one) => (one.waiting ? numbers.format(one.waiting) : null), "number"],
    ["Then", (one) => one.fallbacks.join(", "), "words"],
  ], view.handles));
}

function showBackends(view) {
  place("backends", view.backends.length ? table("Backends", [
    ["Backend", (one) => one.name],
    ["State", (one) => make("span", {}, pill(one.state), one.since ? make("span", { class: "quiet" }, " for ", since(one.since)) : null), "short"],
    ["In use", (one) => (one.slots === null ? null : `${one.slots_used ?? "?"} of ${one.slots}`), "number"],
    ["Waiting", (one) => (one.waiting ? numbers.format(one.waiting) : null), "number"],
    ["Loaded", (one) => one.loaded.join(", "), "words"],
    ["Serves", (one) => one.handles.join(", "), "words"],
  ], view.backends) : nothing("None."));
}

function showRoots(view) {
  place("roots", view.roots.length ? table("Requests through OptiLLM", [
    ["Request", (one) => one.id],
    ["Handle", (one) => `${one.handle}, ${one.approach}`],
    ["Caller", (one) => one.caller],
    ["Calls", (one) => make("span", {}, `${one.calls_done} of ${one.calls} done, at most ${one.max_calls}`,
      make("progress", { max: one.max_calls || 1, value: one.calls, "aria-label": `Calls of request ${one.id}` }))],
    ["Tokens", (one) => numbers.format(one.tokens), "number"],
    ["For", (one) => since(one.since), "number"],
  ], view.roots) : nothing("None is under way."));
}

function showQuotas(view) {
  place("quotas", view.quotas.length ? table("Quotas", [
    ["Quota", (one) => one.name],
    ["Window", (one) => one.window + (one.is_rolling ? ", rolling" : ""), "short"],
    ["Used", (one) => {
      const limit = one.limit === null ? "" : ` of ${numbers.format(one.limit)}`;
      const share = one.limit ? one.used / one.limit : 0;
      const kind = share >= 1 ? "bad" : share >= 0.9 ? "warn" : "";
      return make("span", {}, numbers.format(one.used) + limit, one.limit
        ? make("progress", { class: kind, max: one.limit, value: Math.min(one.used, one.limit), "aria-label": `${one.name}, ${one.window}` }) : null);
    }],
    ["Resets", (one) => (one.is_rolling ? "bit by bit" : at(one.resets_at)), "short"],
    ["Limit from", (one) => one.source, "short"],
    ["Closed until", (one) => (one.closed_until ? make("span", {}, at(one.closed_until), ` (${one.closed_by})`) : null)],
    ["Used up", (one) => (one.used_up_at ? at(one.used_up_at) : null), "short"],
  ], view.quotas) : nothing("None is configured."));
}

function showRefusals(view) {
  document.getElementById("counts").textContent =
    `${numbers.format(view.counts.refusals_24h)} refusals and ${numbers.format(view.counts.loops_blocked_24h)} blocked loops in the last 24 hours, counted since ${new Date(view.counts.since).toLocaleString()}.`;
  place("refusals", view.refusals.length ? table("Last refusals", [
    ["Type", (one) => make("span", {}, `${one.type} `, make("span", { class: "quiet", text: String(one.status) }))],
    ["When", (one) => make("span", {}, at(one.at), one.times > 1 ? ` (${one.times} times)` : ""), "short"],
    ["Caller", (one) => one.caller, "words"],
    ["Handle", (one) => one.handle || "", "words"],
    ["Reason", (one) => one.message, "words reason"],
  ], view.refusals) : nothing("None since the workers were started."));
}

// --- the map -----------------------------------------------------------------------------------------------

const COLUMNS = [
  ["Callers", ["caller"]], ["Names", ["any", "handle", "internal", "nothing"]], ["Backends", ["backend"]],
];
const WIDTH = 1000, BOX = 230, HEIGHT = 26, STEP = 36, TOP = 28;
const KINDS = { uses: "uses", falls_back: "falls back to", served_by: "is served by", calls_back: "calls back", refused: "was refused" };

function draw(name, options, text) {
  const found = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(options)) found.setAttribute(key, value);
  if (text !== undefined) found.textContent = text;
  return found;
}

function laidOut(map) {
  const columns = COLUMNS.map(([title, kinds]) => [title, map.nodes.filter((one) => kinds.includes(one.kind))]).filter(([, nodes]) => nodes.length);
  const gap = columns.length > 1 ? (WIDTH - BOX - 2) / (columns.length - 1) : 0;
  const places = new Map();
  const rows = Math.max(1, ...columns.map(([, nodes]) => nodes.length));
  columns.forEach(([, nodes], column) => { // short columns are spread over the height of the longest
    const step = nodes.length < rows ? Math.min(2.5, rows / nodes.length) * STEP : STEP;
    nodes.forEach((node, row) => places.set(node.id, { x: 1 + column * gap, y: TOP + row * step, column, node }));
  });
  return { columns, gap, places, height: TOP + rows * STEP };
}

function path(from, to) {
  const middle = HEIGHT / 2;
  if (from.column === to.column) {
    const x = from.x, bend = 26 + Math.abs(to.y - from.y) / 6; // on the left, where there are fewer lines
    return `M${x} ${from.y + middle} C${x - bend} ${from.y + middle} ${x - bend} ${to.y + middle} ${x - 4} ${to.y + middle}`;
  }
  const right = to.column > from.column;
  const x1 = right ? from.x + BOX : from.x, x2 = right ? to.x - 4 : to.x + BOX + 4, bend = (x2 - x1) / 2;
  return `M${x1} ${from.y + middle} C${x1 + bend} ${from.y + middle} ${x2 - bend} ${to.y + middle} ${x2} ${to.y + middle}`;
}

function short(text) {
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}

function showMap(view) {
  const { columns, gap, places, height } = laidOut(view.map);
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": "Routing map; the same as a list is below it" });
  const marks = draw("defs", {});
  for (const kind of Object.keys(KINDS)) {
    const mark = draw("marker", { id: `end-${kind}`, class: kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" });
    mark.append(draw("path", { d: "M0 0 8 4 0 8z" }));
    marks.append(mark);
  }
  picture.append(marks);
  columns.forEach(([title], column) => picture.append(draw("text", { class: "column", x: 1 + column * gap, y: 15 }, title)));
  const words = [];
  const last = (one) => (one.kind === "refused" ? 1 : 0);
  for (const edge of [...view.map.edges].sort((one, other) => last(one) - last(other))) {
    const from = places.get(edge.source), to = places.get(edge.target);
    if (!from || !to) continue;
    const text = `${from.node.name} ${KINDS[edge.kind] || edge.kind} ${to.node.name}${edge.note ? ` (${edge.note})` : ""}`;
    const line = draw("path", { class: edge.kind, d: path(from, to), "marker-end": `url(#end-${edge.kind})` });
    line.append(draw("title", {}, text));
    picture.append(line);
    words.push(make("li", { text }));
  }
  for (const { x, y, node } of places.values()) {
    const kind = (STATES[node.state] || ["", ""])[1];
    const box = draw("g", {});
    box.append(draw("rect", { class: `${node.kind} ${kind}`, x, y, width: BOX, height: HEIGHT, rx: 5 }), draw("text", { x: x + 8, y: y + 17 }, short(node.name)));
    box.append(draw("title", {}, node.state ? `${node.name}: ${node.state}` : node.name));
    picture.append(box);
  }
  const legend = make("ul", { class: "legend" },
    ...Object.entries({ falls_back: "- - falls back to", calls_back: "· · OptiLLM calls back", refused: "— refused in the last hour" }).map(([kind, text]) => make("li", { class: kind, text })));
  const opened = document.querySelector('[data-list="map"] details');
  const list = make("details", {}, make("summary", { text: "The map as a list" }), make("ul", {}, ...words));
  list.open = opened !== null && opened.open;
  const before = document.querySelector(".map");
  const frame = make("div", { class: "map", role: "region", tabindex: "0", "aria-label": "Routing map, scrolls sideways" }, picture);
  place("map", frame, legend, list);
  if (before !== null) frame.scrollLeft = before.scrollLeft;
}

// --- asking ------------------------------------------------------------------------------------------------

function show(view) {
  const workers = view.gateway.workers === 1 ? "1 worker" : `${view.gateway.workers_seen} of ${view.gateway.workers} workers`;
  document.getElementById("gateway").textContent =
    `litellm-homelab ${view.gateway.version} on LiteLLM ${view.gateway.litellm}, ${workers}${view.gateway.is_exact ? "" : " (some numbers are incomplete)"}`;
  const map = shown === null || JSON.stringify(shown.map) !== JSON.stringify(view.map);
  shown = view;
  showProblems(view);
  showHandles(view);
  showBackends(view);
  showRoots(view);
  showQuotas(view);
  showRefusals(view);
  if (map) showMap(view);
}

function freshness() {
  const pillOf = document.getElementById("freshness");
  const stale = !answered || Date.now() - answered > Math.max(STALE, document.hidden ? 2.5 * SLOW : 0);
  document.body.classList.toggle("stale", stale && answered > 0);
  const text = stale && answered ? `Stale: last update ${clock.format(answered)}${trouble ? `, ${trouble}` : ""}`
    : answered ? "Live" : trouble || "Loading";
  if (pillOf.textContent !== text) pillOf.textContent = text;
  pillOf.className = `pill ${stale ? (answered || trouble ? "bad" : "") : "good"}`;
}

async function ask() {
  window.clearTimeout(timer);
  let problem = "";
  try {
    const answer = await fetch("homelab.json", {
      headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store", credentials: "same-origin",
      signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 401 || answer.status === 403) {
      window.location.reload(); // the session has ended: the form is there
      return;
    }
    if (answer.status === 200) {
      etag = answer.headers.get("ETag") || "";
      show(await answer.json());
    } else if (answer.status !== 304) {
      problem = `the gateway answered ${answer.status}`;
    } else if (shown !== null) {
      show(shown); // ages go on
    }
    if (!problem) answered = Date.now();
  } catch {
    problem = "the gateway does not answer";
  }
  trouble = problem;
  freshness();
  const pause = document.hidden ? SLOW : FAST;
  timer = window.setTimeout(ask, pause * (0.9 + 0.2 * Math.random()));
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
window.setInterval(freshness, 1000);
ask();
