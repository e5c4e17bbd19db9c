// One report in, one page out. What is in a report is text, whoever wrote it, and is set as text.

const $ = id => document.getElementById(id);
const HOPS = { good: "good", warn: "of concern", bad: "bad", dark: "not known" };
const WORDS = {
  "ok": "good", "busy": "busy", "starting": "dark", "slow-client": "warn", "not-answering": "bad", "kernel-dead": "bad",
  "container-paused": "bad", "container-stopped": "bad", "container-gone": "bad", "gate-lost": "bad",
  "engine-unreachable": "bad", "failed": "bad", "ended": "dark",
};
/** A word that is not known is shown with what it says; these have nothing to say. */
const QUIET = ["ok", "busy", "starting", "ended"];
const CHANNELS = ["shell", "iopub", "stdin", "control", "hb"];

/** Only what differs is touched: a reader's place, a selection and the focus stay. */
function write(element, text) {
  text = text == null ? "" : String(text);
  if (element && element.textContent !== text) element.textContent = text;
}
function show(element, yes) { if (element.hidden === yes) element.hidden = !yes; }
function kindOf(word) { return Object.hasOwn(WORDS, word) ? WORDS[word] : "dark"; }
function plain(word) { return String(word || "unknown").replaceAll("-", " "); }
function spaced(name) { return name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`); }
/** Jupyter tells the notebook's whole path. */
function lastOf(path) { return (path || "").split("/").at(-1); }
function nameOf(kernel) { return lastOf(kernel.notebook || kernel.connection_file) || kernel.id; }

function light(place, kind) {
  if (place.dataset.kind === kind) return;
  place.dataset.kind = kind;
  place.classList.remove("good", "busy", "warn", "bad", "dark");
  place.classList.add(kind);
  place.querySelector("use").setAttribute("href", `#${kind}`);
}

function lamp() {
  const svg = shape("svg", { class: "lamp", "aria-hidden": "true" });
  svg.append(shape("use", {}));
  return svg;
}

function make(name, text, className) {
  const element = document.createElement(name);
  if (text != null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** As many children as there are items, each made once and filled again. */
function fill(parent, items, create, update) {
  while (parent.children.length > items.length) parent.lastChild.remove();
  items.forEach((item, index) => {
    if (!parent.children[index]) parent.append(create(item));
    update(parent.children[index], item);
  });
}

function cells(...kinds) {
  return () => {
    const row = make("tr");
    for (const kind of kinds) {
      const cell = make(kind === "head" ? "th" : "td", null, kind === "head" ? "" : kind);
      if (kind === "head") cell.scope = "row";
      row.append(cell);
    }
    return row;
  };
}
function writeRow(row, texts) { texts.forEach((text, index) => write(row.children[index], text)); }

// A kernel

const cards = new Map();
/** Changes of verdicts, for who does not see them: said together, or one would take the other's place. */
const news = [];

class Card {
  constructor(id) {
    this.element = $("kernel").content.firstElementChild.cloneNode(true);
    this.parts = {};
    for (const part of this.element.querySelectorAll("[data-is]")) this.parts[part.dataset.is] = part;
    this.title = this.parts.name;
    this.title.id = `kernel-${cards.size}-${Date.now()}`;
    this.element.querySelector("article").setAttribute("aria-labelledby", this.title.id);
    this.element.querySelector("button").addEventListener("click", event => copy(this.parts.remedy, event.target));
    this.element.dataset.kernel = id;
  }

  find(css) { return this.element.querySelector(css); }

  update(kernel) {
    const { parts } = this, verdict = kernel.verdict || { word: kernel.state };
    const name = nameOf(kernel), kind = kindOf(verdict.word);
    write(parts.name, name);
    parts.name.title = kernel.notebook || "";
    write(parts.whose, ` of ${name}`);
    light(this.find(".verdict"), kind);
    write(parts.word, plain(verdict.word));
    write(parts.since, verdict.since_seconds == null ? "" : `for ${span(verdict.since_seconds)}`);
    write(parts.where, [
      kernel.container + (kernel.user ? `, user ${kernel.user}` : ""), kernel.route ? `by ${kernel.route}` : "no route yet",
      `up ${span(kernel.uptime_seconds)}`, kernel.id,
    ].join("  ·  "));
    show(this.find(".trouble"), !QUIET.includes(verdict.word));
    write(parts.text, verdict.text);
    write(parts.code, verdict.code);
    // What is said in words alone is nothing to be typed.
    show(this.find(".remedy"), Boolean(verdict.command));
    write(parts.remedy, verdict.command);
    show(parts.advice, Boolean(verdict.remedy) && !verdict.command);
    write(parts.advice, verdict.remedy);
    if (this.word && this.word !== verdict.word) news.push(`${name}: ${plain(verdict.word)}. ${verdict.text || ""}`);
    this.word = verdict.word;
    this.lamps(kernel.ladder || []);
    this.figures(kernel);
    if (kernel.history) {
      drawBeats(this.find("[data-plot=beat]"), kernel.history);
      drawRates(this.find("[data-plot=rate]"), kernel.history);
    }
    this.launch(kernel.launch || { phases: [] }, kernel.resumed);
    this.channels(kernel.channels || {});
    this.facts(kernel);
  }

  lamps(ladder) {
    fill(this.find(".lamps"), ladder, () => {
      const item = make("li");
      item.append(lamp(), make("span"), make("span", null, "unseen"));
      return item;
    }, (item, hop) => {
      light(item, HOPS[hop.lamp] ? hop.lamp : "dark");
      write(item.children[1], hop.hop);
      write(item.children[2], `: ${HOPS[hop.lamp] || "not known"}. ${hop.text || ""}`);
      if (item.title !== (hop.text || "")) item.title = hop.text || "";
    });
    fill(this.find(".ladder tbody"), ladder, () => {
      const row = cells("head", "", "", "")();
      row.children[1].append(lamp(), " ", make("span"));
      return row;
    }, (row, hop) => {
      write(row.children[0], hop.hop);
      light(row.children[1], HOPS[hop.lamp] ? hop.lamp : "dark");
      write(row.children[1].querySelector("span"), HOPS[hop.lamp] || "not known");
      write(row.children[2], hop.text);
      write(row.children[3], hop.milliseconds == null ? "" : milliseconds(hop.milliseconds));
    });
  }

  figures(kernel) {
    const trip = kernel.round_trip || {};
    write(this.parts.beat, milliseconds(trip.last_ms));
    write(this.parts.beats, `p99 ${milliseconds(trip.p99_ms)}` + (trip.lost ? `, ${count(trip.lost, "beat")} lost` : ""));
    // Heartbeats are there whether anybody does anything or not.
    const lanes = Object.entries(kernel.channels || {}).filter(([name]) => name !== "hb")
      .flatMap(([, channel]) => [channel.to_kernel, channel.to_client]).filter(Boolean);
    const sum = figure => lanes.reduce((total, lane) => total + (lane[figure] || 0), 0);
    write(this.parts.rate, `${rate(sum("messages_per_second"))}/s`);
    const held = sum("held_messages");
    write(this.parts.rates, `${bytes(sum("bytes_per_second"))}/s` + (held ? `, ${count(held, "message")} held` : ""));
  }

  launch({ phases, total_milliseconds: total }, isResumed) {
    show(this.find(".launch"), phases.length > 0);
    write(this.parts.launched, isResumed ? "Taken up again by this relayd, which counts from here" : "Launch");
    write(this.parts.launch, total == null ? ", under way" : `, ${milliseconds(total)}`);
    let sum = 0;
    const bars = phases.map(phase => ({ ...phase, from: sum, to: sum += phase.milliseconds }));
    fill(this.find(".launch tbody"), bars, () => {
      const row = cells("head", "", "")();
      const svg = shape("svg", { viewBox: "0 0 1000 9", preserveAspectRatio: "none", "aria-hidden": "true" });
      svg.append(shape("rect", { y: 0, height: 9 }));
      row.children[1].append(svg);
      return row;
    }, (row, phase) => {
      write(row.children[0], phase.name);
      const bar = row.querySelector("rect"), scale = 1000 / Math.max(sum, 1e-9);
      bar.setAttribute("x", phase.from * scale);
      bar.setAttribute("width", Math.max((phase.to - phase.from) * scale, 3));
      write(row.children[2], milliseconds(phase.milliseconds));
    });
  }

  channels(channels) {
    const rows = CHANNELS.filter(name => channels[name]).map(name => {
      const { to_kernel: up = {}, to_client: down = {} } = channels[name];
      const held = (up.held_messages || 0) + (down.held_messages || 0);
      const dropped = Object.entries(sum(up.dropped, down.dropped)).map(([reason, times]) => `${times} ${spaced(reason)}`);
      const lane = way => [rate(way.messages_per_second), (way.messages || 0).toLocaleString("en"), bytes(way.bytes)];
      return [
        name, ...lane(up), ...lane(down),
        held ? `${held}, ${bytes((up.held_bytes || 0) + (down.held_bytes || 0))}` : "0", dropped.join(", ") || "0",
      ];
    });
    fill(this.find(".channels tbody"), rows, cells("head", ...Array(8).fill("")), writeRow);
  }

  facts(kernel) {
    const { process, memory, reply_time: reply = {}, hop_time: hop = {}, activity = {} } = kernel;
    const reached = times => times?.count ? `${milliseconds(times.p50_ms)}, p99 ${milliseconds(times.p99_ms)}, of ${times.count}` : DASH;
    const facts = [
      ["Process", process ? `${process.pid}, ${process.state}` : DASH],
      ["Processor", process ? `${percent(process.cpu_percent)} of a core` : DASH],
      ["Memory", process ? bytes(process.memory_bytes) : DASH],
      ["Container's memory", memory ? bytes(memory.used_bytes) + (memory.limit_bytes ? ` of ${bytes(memory.limit_bytes)}` : "") + (memory.kills ? `, ${count(memory.kills, "kill")}` : "") : DASH],
      ["Replies on shell", reached(reply.shell)], ["Replies on control", reached(reply.control)],
      ["Answers of the gate", reached(hop.gate)], ["Answers of the engine", reached(hop.engine)],
      ["Last reply on shell", activity.shell_reply_seconds_ago == null ? DASH : `${span(activity.shell_reply_seconds_ago)} ago`],
      ["Last output", activity.iopub_seconds_ago == null ? DASH : `${span(activity.iopub_seconds_ago)} ago`],
      ["Interrupts", kernel.interrupts || "none"], ["Container", kernel.container_id?.slice(0, 12) || DASH],
      ["Notebook", kernel.notebook || DASH], ["Connection file", kernel.connection_file || DASH],
    ];
    fill(this.find("dl"), facts.flat(), () => make(this.find("dl").children.length % 2 ? "dd" : "dt"), write);
  }
}

function sum(one = {}, other = {}) {
  const all = { ...one };
  for (const [name, value] of Object.entries(other)) all[name] = (all[name] || 0) + value;
  return all;
}
