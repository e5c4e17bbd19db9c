// The whole page, and the events that it lives from.

function announce(text) { write($("news"), text.trim()); }

async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    write(button, "Copied");
    announce("The command is in the clipboard.");
  } catch {
    // Only loopback is a place of trust to browsers: elsewhere the person copies what is marked.
    getSelection().selectAllChildren(code);
    write(button, "Marked");
  }
  setTimeout(() => write(button, "Copy"), 2000);
}

function render(report) {
  const kernels = report.kernels || [];
  const known = new Set(kernels.map(kernel => kernel.id));
  for (const [id, card] of cards) if (!known.has(id)) { card.element.remove(); cards.delete(id); }
  for (const kernel of kernels) {
    if (!cards.has(kernel.id)) {
      const card = new Card(kernel.id);
      cards.set(kernel.id, card);
      $("list").append(card.element);
      // The one kernel that there is, is the one that is meant.
      card.find("details").open = kernels.length === 1;
    }
    cards.get(kernel.id).update(kernel);
  }
  if (news.length) announce(news.splice(0).join(" "));
  summary(report, kernels);
  const ended = report.ended || [], gates = report.gates || [];
  show($("ended"), ended.length > 0);
  fill($("ended").querySelector("tbody"), ended, cells("head", "", "", "", "moment"), (row, one) => writeRow(row, [
    one.id, lastOf(one.notebook) || DASH, one.container || DASH, `${plain(one.verdict?.word)}${one.verdict?.text ? `: ${one.verdict.text}` : ""}`,
    `${span(one.ended_seconds_ago)} ago`,
  ]));
  show($("gates"), gates.length > 0);
  fill($("gates").querySelector("tbody"), gates, cells("head", "", "", "figure", ""), (row, gate) => writeRow(row, [
    gate.container, gate.user, gate.state, gate.kernels, gate.release,
  ]));
  if (report.events) events(report.events);
}

function summary(report, kernels) {
  const words = {};
  for (const kernel of kernels) words[plain(kernel.verdict?.word)] = (words[plain(kernel.verdict?.word)] || 0) + 1;
  const parts = Object.entries(words).map(([word, number]) => `${number} ${word}`);
  write($("count"), kernels.length ? parts.join(", ") : "None runs. Start one in Jupyter, and it appears here.");
  const { resources } = report;
  write($("facts"), [
    `relayd ${report.release}`, `up ${span(report.uptime_seconds)}`,
    ...(resources ? [bytes(resources.memory_bytes), `${span(resources.cpu_seconds)} of processor`] : []),
  ].join("  ·  "));
  const troubled = kernels.filter(kernel => ["bad", "warn"].includes(kindOf(kernel.verdict?.word))).length;
  document.title = troubled ? `(${troubled}!) KernelRelay` : "KernelRelay";
}

function events(entries) {
  show($("events"), entries.length > 0);
  const newest = entries.toReversed();
  fill($("events").querySelector("ol"), newest, () => {
    const item = make("li");
    item.append(make("time"), make("span"), make("span", null, "quiet"));
    return item;
  }, (item, entry) => {
    write(item.children[0], clock(entry.time));
    if (item.children[0].dateTime !== entry.time) item.children[0].dateTime = entry.time;
    write(item.children[1], entry.event);
    const facts = Object.entries(entry.facts || {}).map(([name, value]) => `${name} ${value}`);
    write(item.children[2], [entry.kernel, ...facts].filter(Boolean).join("  ·  "));
  });
}

function link(state, text) {
  const place = $("link");
  if (place.dataset.link !== state) place.querySelector("use").setAttribute("href", { live: "#good", reconnecting: "#warn" }[state] || "#dark");
  place.dataset.link = state;
  write(place.querySelector("span"), text);
  document.body.classList.toggle("stale", state === "reconnecting");
}

let heard = null;

function listen() {
  const stream = new EventSource(`events${location.search}`);
  stream.onopen = () => link("live", "live");
  stream.onmessage = event => {
    heard = new Date();
    link("live", "live");
    render(JSON.parse(event.data));
  };
  stream.onerror = () => {
    if ($("link").dataset.link !== "reconnecting") announce("The connection to relayd is lost.");
    link("reconnecting", heard ? `reconnecting, as of ${clock(heard)}` : "reconnecting");
    // Refused, and not merely interrupted: the browser does not try again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

for (const name of ["metrics", "json"]) $(name).search = location.search;
listen();
