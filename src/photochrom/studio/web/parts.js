// The small controls of the studio: a slider with a number, a tone curve, the stack of steps. Plain browser code.
window.photochrom = window.photochrom || {};

photochrom.make = function (name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  for (const child of children) made.append(child);   // strings become text, never markup
  return made;
};

// Numbers for events, rising even over a reload, so that the server can tell which is the newest.
photochrom.count = function () {
  photochrom.counted = Math.max((photochrom.counted || 0) + 1, Date.now() * 1000);
  return photochrom.counted;
};

// A text whose parts between backticks are code.
photochrom.words = (text) => String(text || "").split("`")
  .map((part, k) => (k % 2 ? photochrom.make("code", {}, part) : part));

photochrom.short = (value) => Number(Number(value).toPrecision(5)).toString();

// A slider covers the soft range, linearly or by ratio; the number beside it takes the whole hard range.
photochrom.dial = function (element, props, trigger, watch) {
  const make = photochrom.make, host = element.querySelector(".pc-dial");
  const { low, high, soft_low, soft_high, log, integer, unit, start, name, help, optional } = props;
  const STEPS = integer && !log ? Math.max(1, soft_high - soft_low) : 1000;
  const place = (value) => {
    const v = Math.min(soft_high, Math.max(soft_low, value));
    const part = log ? Math.log(v / soft_low) / Math.log(soft_high / soft_low) : (v - soft_low) / (soft_high - soft_low);
    return Math.round(part * STEPS);
  };
  const tidy = (value) => {
    const span = log ? value : soft_high - soft_low;
    const digits = integer ? 0 : Math.max(0, 3 - Math.floor(Math.log10(Math.abs(span) || 1)));
    return Number(value.toFixed(Math.min(10, digits)));
  };
  const value_at = (at) => {
    const part = at / STEPS;
    return tidy(log ? soft_low * Math.pow(soft_high / soft_low, part) : soft_low + part * (soft_high - soft_low));
  };
  const id = "pc-" + Math.random().toString(36).slice(2);
  const slider = make("input", { type: "range", min: 0, max: STEPS, step: 1, id, "aria-describedby": id + "h" });
  const number = make("input", { type: "number", min: low, max: high, step: integer ? 1 : "any",
                                 "aria-label": name + (unit ? ", " + unit : ""),
                                 placeholder: optional ? "not given" : null });
  const reset = make("button", { type: "button", class: "pc-small", title: "back to " + ((start ?? null) === null ? "not given" : photochrom.short(start)),
                                 "aria-label": "reset " + name }, "↺");
  host.replaceChildren(
    make("div", { class: "pc-dial-head" }, make("label", { for: id }, name), number,
         make("span", { class: "pc-unit" }, unit || ""), reset),
    slider, make("div", { class: "pc-help", id: id + "h" }, ...photochrom.words(help)));
  const show = (value) => {
    slider.value = place(value);
    const none = value === null || value === undefined;
    slider.setAttribute("aria-valuetext", none ? "not given" : photochrom.short(value) + (unit ? " " + unit : ""));
    if (document.activeElement !== number) number.value = none ? "" : value;
    reset.style.visibility = (value ?? null) === (start ?? null) ? "hidden" : "visible";
  };
  const give = (value) => { props.value = value; show(value); trigger("input"); };
  slider.addEventListener("input", () => { const v = value_at(Number(slider.value)); number.value = v; give(v); });
  slider.addEventListener("dblclick", () => { number.value = start; give(start); });
  reset.addEventListener("click", () => { number.value = start; give(start); slider.focus(); });
  number.addEventListener("input", () => {
    if (optional && number.value === "" && !number.validity.badInput) {   // emptied: not given
      number.setAttribute("aria-invalid", "false");
      give(null);
      return;
    }
    const v = Number(number.value);
    const good = number.value !== "" && v >= low && v <= high && (!integer || Number.isInteger(v));
    number.setAttribute("aria-invalid", String(!good));
    number.title = good ? "" : `between ${photochrom.short(low)} and ${photochrom.short(high)}`;
    if (good) give(v);
  });
  number.addEventListener("blur", () => { number.setAttribute("aria-invalid", "false"); show(props.value); });
  show(props.value);
  watch("value", () => show(props.value));
};

// A tone curve through points. Click adds one, dragging moves it, Delete removes it; arrow keys move the chosen point.
photochrom.curve = function (element, props, trigger, watch) {
  const make = photochrom.make, host = element.querySelector(".pc-curve");
  const NS = "http://www.w3.org/2000/svg", SIZE = 240, PAD = 12;
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `${-PAD} ${-PAD} ${SIZE + 2 * PAD} ${SIZE + 2 * PAD}`);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", props.name + ": a curve of " + props.value.length + " points");
  const place = make("div", { class: "pc-help", "aria-live": "polite" });
  const reset = make("button", { type: "button", class: "pc-small", onclick: () => give(props.start) }, "↺ reset");
  host.replaceChildren(make("div", { class: "pc-dial-head" }, make("span", {}, props.name), reset), svg, place,
                       make("div", { class: "pc-help" }, ...photochrom.words(props.help)));
  let chosen = -1, drag = false;
  const draw = (name, attributes) => {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    svg.append(made);
    return made;
  };
  const x_of = (x) => x * SIZE, y_of = (y) => SIZE - y * SIZE;
  const give = (points) => { props.value = points; show(); trigger("input"); };
  const fit = (points, k, x, y) => {
    const gap = 0.005, left = k > 0 ? points[k - 1][0] + gap : 0;
    const right = k < points.length - 1 ? points[k + 1][0] - gap : 1;
    const moved = points.map((p) => [...p]);
    moved[k] = [Math.min(right, Math.max(left, Number(x.toFixed(4)))), Math.min(1, Math.max(0, Number(y.toFixed(4))))];
    return moved;
  };
  function show() {
    const had = svg.contains(document.activeElement);
    svg.replaceChildren();
    draw("rect", { x: 0, y: 0, width: SIZE, height: SIZE, class: "pc-curve-back" });
    for (const [band, parts] of Object.entries(props.histogram || {})) {
      const path = parts.map((v, k) => `L${x_of(k / (parts.length - 1))} ${y_of(v)}`).join("");
      draw("path", { d: `M0 ${SIZE}${path}L${SIZE} ${SIZE}Z`, class: "pc-band pc-" + band });
    }
    for (const k of [1, 2, 3]) {
      draw("path", { d: `M${k * SIZE / 4} 0V${SIZE}M0 ${k * SIZE / 4}H${SIZE}`, class: "pc-grid" });
    }
    draw("path", { d: `M0 ${SIZE}L${SIZE} 0`, class: "pc-grid" });
    const drawn = props.drawn && props.drawn.length ? props.drawn : props.value;
    const line = drawn.map((p) => `${x_of(p[0])} ${Math.min(SIZE, Math.max(0, y_of(p[1])))}`);
    draw("path", { d: "M" + line.join("L"), class: "pc-line" });
    props.value.forEach((p, k) => {
      const dot = draw("circle", { cx: x_of(p[0]), cy: y_of(p[1]), r: 7, tabindex: 0, role: "slider",
                                   class: "pc-dot" + (k === chosen ? " pc-chosen" : ""),
                                   "aria-label": `point ${k + 1}`, "aria-valuenow": p[1], "aria-valuemin": 0,
                                   "aria-valuemax": 1,
                                   "aria-valuetext": `input ${photochrom.short(p[0])}, output ${photochrom.short(p[1])}` });
      dot.addEventListener("focus", () => { if (chosen !== k) { chosen = k; mark(); } });
      dot.addEventListener("keydown", (event) => key(event, k));
      if (had && k === chosen) dot.focus();
    });
    mark();
  }
  function mark() {
    svg.querySelectorAll(".pc-dot").forEach((dot, k) => dot.classList.toggle("pc-chosen", k === chosen));
    const p = props.value[chosen];
    place.textContent = p ? `input ${photochrom.short(p[0])} → output ${photochrom.short(p[1])}`
                          : "click to add a point, drag to move, Delete to remove";
  }
  function key(event, k) {
    const step = event.shiftKey ? 0.05 : 0.01, p = props.value[k];
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[event.key]) {
      give(fit(props.value, k, p[0] + moves[event.key][0], p[1] + moves[event.key][1]));
    } else if ((event.key === "Delete" || event.key === "Backspace") && props.value.length > 2) {
      chosen = Math.max(0, k - 1);
      give(props.value.filter((_, n) => n !== k));
    } else return;
    event.preventDefault();
  }
  const at = (event) => {
    const box = svg.getBoundingClientRect(), part = (SIZE + 2 * PAD) / box.width;
    return [((event.clientX - box.left) * part - PAD) / SIZE, 1 - ((event.clientY - box.top) * part - PAD) / SIZE];
  };
  svg.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event);
    let points = props.value;
    const near = points.map((p) => Math.hypot(p[0] - x, p[1] - y));
    chosen = near.indexOf(Math.min(...near));
    if (near[chosen] > 0.06) {
      points = [...points, [Number(x.toFixed(4)), Number(y.toFixed(4))]].sort((a, b) => a[0] - b[0]);
      chosen = points.findIndex((p) => p[0] === Number(x.toFixed(4)));
      points = fit(points, chosen, x, y);
    }
    drag = true;
    svg.setPointerCapture(event.pointerId);
    give(points);
    svg.querySelectorAll(".pc-dot")[chosen].focus();
    event.preventDefault();
  });
  svg.addEventListener("pointermove", (event) => { if (drag) give(fit(props.value, chosen, ...at(event))); });
  svg.addEventListener("pointerup", () => { drag = false; });
  show();
  watch(["value", "drawn", "histogram"], show);
};

// The stack of steps, each with its own buttons. Drag a row, or use its arrows, to move it.
photochrom.stack = function (element, props, trigger, watch) {
  const make = photochrom.make, host = element.querySelector(".pc-stack");
  const act = (what, at, to) => trigger("acted", { what, at, to: to === undefined ? at : to });
  const button = (text, label, off, done) =>
    make("button", { type: "button", class: "pc-small", title: label, "aria-label": label, disabled: off, onclick: done },
         text);
  function show() {
    const rows = props.value || [];
    if (!rows.length) {
      host.replaceChildren(make("p", { class: "pc-help" }, "No steps yet. Choose an operation, set it, and add it."));
      return;
    }
    host.replaceChildren(make("ol", {}, ...rows.map((row, k) => {
      const item = make("li", { class: (row.on ? "" : "pc-off ") + (row.edited ? "pc-edited" : ""), draggable: "true" },
        make("div", { class: "pc-step-name" }, `${k + 1}. ${row.name}`),
        make("div", { class: "pc-help" }, row.told || "defaults"),
        make("div", { class: "pc-step-buttons" },
          button(row.on ? "on" : "off", row.on ? "switch off" : "switch on", false, () => act("toggle", k)),
          button("edit", `edit ${row.name}`, false, () => act("edit", k)),
          button("↑", `move ${row.name} up`, k === 0, () => act("move", k, k - 1)),
          button("↓", `move ${row.name} down`, k === rows.length - 1, () => act("move", k, k + 1)),
          button("✕", `remove ${row.name}`, false, () => act("remove", k))));
      item.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", String(k)));
      item.addEventListener("dragover", (event) => event.preventDefault());
      item.addEventListener("drop", (event) => {
        event.preventDefault();
        const from = Number(event.dataTransfer.getData("text/plain"));
        if (Number.isInteger(from) && from !== k) act("move", from, k);
      });
      return item;
    })));
  }
  show();
  watch("value", show);
};

// Histograms before and after, one above the other.
photochrom.histogram = function (element, props, trigger, watch) {
  const host = element.querySelector(".pc-histogram");
  function show() {
    const panels = Object.entries(props.value || {}).map(([name, bands]) => {
      const figure = document.createElement("figure");
      const canvas = photochrom.make("canvas", { width: 256, height: 90, role: "img", "aria-label": "histogram " + name });
      const pen = canvas.getContext("2d");
      pen.globalCompositeOperation = "source-over";
      const ink = { red: "#e0523f", green: "#3fa34d", blue: "#4a7fe0", grey: "#888888" };
      for (const [band, parts] of Object.entries(bands)) {
        pen.fillStyle = ink[band] + "66";
        pen.strokeStyle = ink[band];
        pen.lineWidth = 1.5;
        pen.beginPath();
        pen.moveTo(0, 90);
        parts.forEach((v, k) => pen.lineTo(k / (parts.length - 1) * 256, 89 - v * 86));
        pen.lineTo(256, 90);
        pen.fill();
        pen.stroke();
      }
      figure.append(canvas, photochrom.make("figcaption", {}, name));
      return figure;
    });
    host.replaceChildren(...panels);
  }
  show();
  watch("value", show);
};
