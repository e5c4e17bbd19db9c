// The last ten minutes, drawn. A plot is as wide as its place: x runs from 0 to 1000 and is stretched, so nothing in it
// may be round or a letter.

const WIDTH = 1000, HEIGHT = 44;
const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** How far a plot looks back. A young kernel's ten minutes would be a dot at the edge. */
function minutes({ round_trip_ms: values, every_seconds: every }) {
  return [1, 2, 5].find(some => values.length * every <= some * 60) ?? 10;
}

/** The places of values in time, the newest at the right edge. */
function places(values, history) {
  const slots = Math.max(values.length, Math.round(minutes(history) * 60 / history.every_seconds), 2);
  const step = WIDTH / (slots - 1);
  return values.map((_, index) => WIDTH - (values.length - 1 - index) * step);
}

/** A line that is broken where there is nothing. */
function trace(xs, values, y) {
  let path = "", isDown = false;
  values.forEach((value, index) => {
    if (value == null) { isDown = false; return; }
    const point = `${xs[index].toFixed(1)} ${y(value).toFixed(1)}`;
    // A beat between two that were lost would be a line without length.
    path += isDown ? `L${point}` : `M${point}h0.1`;
    isDown = true;
  });
  return path;
}

/** From where to where something holds. */
function runs(values, holds) {
  const found = [];
  values.forEach((value, index) => {
    if (!holds(value, index)) return;
    const last = found.at(-1);
    if (last && last.end === index - 1) last.end = index; else found.push({ start: index, end: index });
  });
  return found;
}

function draw(place, history, what, description, top, parts) {
  let svg = place.querySelector("svg");
  if (!svg) {
    const id = `plot-${draw.next = (draw.next || 0) + 1}`;
    svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-labelledby": `${id}t ${id}d` });
    svg.append(shape("title", { id: `${id}t` }), shape("desc", { id: `${id}d` }), shape("g", {}));
    const axes = [["top", ""], ["from", ""], ["to", "now"]].map(([name, text]) => {
      const label = document.createElement("span");
      label.className = `axis ${name}`;
      label.textContent = text;
      label.setAttribute("aria-hidden", "true");
      return label;
    });
    place.append(svg, ...axes);
  }
  const back = minutes(history);
  write(svg.querySelector("title"), `${what}, the last ${count(back, "minute")}`);
  write(place.querySelector(".from"), `${back} min ago`);
  write(svg.querySelector("desc"), description);
  write(place.querySelector(".top"), top);
  svg.querySelector("g").replaceChildren(...parts);
}

/** A kernel that has not been reached yet loses none; one that computes may. */
function isLost(verdict, busy) { return verdict !== "starting" && (verdict === "busy") === busy; }

/** Heartbeats, from a tenth of a millisecond upward in powers of ten, for they differ by as much. */
function drawBeats(place, history) {
  const values = history.round_trip_ms, verdicts = history.verdicts || [];
  const xs = places(values, history);
  const known = values.filter(value => value != null);
  const top = Math.max(1, 10 ** Math.ceil(Math.log10(Math.max(...known, 0.2) * 1.01)));
  const low = 0.05;
  const y = value => HEIGHT - 2 - (HEIGHT - 4) * Math.log(Math.max(value, low) / low) / Math.log(top / low);
  const parts = [];
  for (let power = 0.1; power < top * 0.99; power *= 10)
    parts.push(shape("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(power), y2: y(power) }));
  const step = xs.length > 1 ? xs[1] - xs[0] : 4;
  let lost = 0;
  for (const busy of [false, true])
    for (const { start, end } of runs(values, (value, index) => value == null && isLost(verdicts[index], busy))) {
      const x = Math.max(xs[start] - step / 2, 0), width = Math.max(Math.min(xs[end] + step / 2, WIDTH) - x, 2);
      const kind = busy ? " busy" : "";
      parts.push(shape("rect", { class: `gap${kind}`, x, width, y: 0, height: HEIGHT }));
      parts.push(shape("rect", { class: `gap-foot${kind}`, x, width, y: HEIGHT - (busy ? 2 : 5), height: busy ? 2 : 5 }));
      lost += end - start + 1;
    }
  parts.push(shape("path", { class: "curve", d: trace(xs, values, y) }));
  const range = known.length ? `${milliseconds(Math.min(...known))} to ${milliseconds(Math.max(...known))}` : "no beat came back";
  draw(place, history, "Round trips of heartbeats", `${range}; ${count(lost, "beat")} lost.`, milliseconds(top).replace(".0", ""), parts);
}

function drawRates(place, history) {
  const values = history.messages_per_second;
  const xs = places(values, history);
  const most = Math.max(...values.filter(value => value != null), 0);
  const unit = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const top = Math.max([1, 2, 5, 10].find(times => times * unit >= most) * unit, 10);
  const y = value => HEIGHT - 1 - (HEIGHT - 4) * value / top;
  const line = trace(xs, values, y);
  const parts = [shape("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(top / 2), y2: y(top / 2) })];
  for (const { start, end } of runs(values, value => value != null)) {
    const piece = trace(xs.slice(start, end + 1), values.slice(start, end + 1), y).replace("h0.1", "");
    parts.push(shape("path", { class: "area", d: `${piece}V${HEIGHT}H${xs[start]}Z` }));
  }
  parts.push(shape("path", { class: "curve", d: line }));
  draw(place, history, "Messages per second", `At most ${rate(most)} a second.`, `${rate(top)}/s`, parts);
}
