// The picture: before and after under one zoom, and what is drawn over it: masks, strokes, points, boxes.
// Everything is placed in pixels of the picture at its full size ("world"), whatever size is shown.
window.photochrom = window.photochrom || {};

photochrom.easel = function (element, props, trigger, watch) {
  const make = photochrom.make, host = element.querySelector(".pc-easel");
  const canvas = make("canvas", { tabindex: 0, class: "pc-canvas", role: "img", "aria-label": "the picture" });
  const split = make("div", { class: "pc-split", role: "slider", tabindex: 0, "aria-label": "before and after",
                              "aria-valuemin": 0, "aria-valuemax": 100 });
  const empty = make("div", { class: "pc-empty" }, "Drop a picture here, or press “Open a picture” or “Sample picture”.");
  const frame = make("div", { class: "pc-frame" }, canvas, split, empty);
  const status = make("div", { class: "pc-status", "aria-live": "polite" });
  const bar = make("div", { class: "pc-bar", role: "toolbar", "aria-label": "view" });
  const tools = make("div", { class: "pc-bar pc-tools", role: "toolbar", "aria-label": "tools" });
  host.replaceChildren(bar, tools, frame, status);

  const state = { view: "split", zoom: 1, x: 0, y: 0, fitted: true, at: 0.5, tool: "look", brush: 40, soft: 0.5,
                  colour: "#d03a2c", key: "", size: [0, 0], over: null };
  const images = new Map();   // by address; null while loading
  const layer = document.createElement("canvas"), tint = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const seen = {};            // the last picture of each role that was ready, so that nothing flickers

  let held = null;            // what was moved here and is not in the server's answer yet
  const value = () => (held ? { ...props.value, ...held.part } : props.value || {});
  function tell(name, data) {
    const count = photochrom.count();
    if (held) held.count = count;
    trigger(name, { ...data, count });
  }
  const placed = () => shown_view() === "work" && value().full_input;   // tools work on what the step gets
  const world = () => (placed() ? value().full_input : value().full) || [0, 0];

  function image(address) {
    if (!address) return null;
    if (images.has(address)) return images.get(address);
    images.set(address, null);
    const made = new Image();
    made.onload = () => { images.set(address, made); draw(); };
    made.onerror = () => images.delete(address);
    made.src = address;
    if (images.size > 24) images.delete(images.keys().next().value);
    return null;
  }
  function picture(role) {
    const detail = value().detail && value().detail[role];
    const found = (detail && image(detail)) || image(value()[role]);
    if (found) seen[role] = found;
    return value()[role] ? seen[role] || null : null;
  }

  // -- the frame -----------------------------------------------------------------------------------------------
  function room() {
    const wide = frame.clientWidth || 300, [w, h] = world();
    const ratio = w ? h / w : 0.66;
    const two = state.view === "side" ? 0.5 : 1;
    const part = window.innerWidth > 760 ? 0.68 : 0.42;   // on a narrow screen it stays above the form
    return [wide, Math.round(Math.min(Math.max(170, wide * ratio * two), Math.max(260, window.innerHeight * part)))];
  }
  function resize() {
    const [w, h] = room(), dots = window.devicePixelRatio || 1;
    frame.style.height = h + "px";
    canvas.width = Math.round(w * dots);
    canvas.height = Math.round(h * dots);
    if (state.fitted) fit(); else draw();
  }
  const pane = () => state.view === "side" ? (canvas.clientWidth || 1) / 2 : canvas.clientWidth || 1;
  const fit_zoom = () => Math.min(pane() / (world()[0] || 1), (frame.clientHeight || 1) / (world()[1] || 1));
  function fit() {
    state.fitted = true;
    state.zoom = fit_zoom();
    state.x = (pane() - world()[0] * state.zoom) / 2;
    state.y = (frame.clientHeight - world()[1] * state.zoom) / 2;
    draw();
  }
  function zoom_to(zoom, px, py) {
    const next = Math.min(32, Math.max(fit_zoom() / 2, zoom));
    px = px === undefined ? pane() / 2 : px;
    py = py === undefined ? frame.clientHeight / 2 : py;
    state.x = px - (px - state.x) * next / state.zoom;
    state.y = py - (py - state.y) * next / state.zoom;
    state.zoom = next;
    state.fitted = false;
    keep_inside();
    draw();
  }
  function keep_inside() {
    const [w, h] = world().map((n) => n * state.zoom), margin = 40;
    state.x = Math.min(pane() - margin, Math.max(margin - w, state.x));
    state.y = Math.min(frame.clientHeight - margin, Math.max(margin - h, state.y));
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  function put(found, left, width) {
    if (!found) return;
    const [w, h] = world();
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width, frame.clientHeight);
    pen.clip();
    pen.imageSmoothingEnabled = state.zoom * w / found.naturalWidth < 2;
    pen.imageSmoothingQuality = "high";
    const shift = state.view === "side" && left > 0 ? left : 0, dots = window.devicePixelRatio || 1;
    const whole = (n) => Math.round(n * dots) / dots;   // else pixels at 1:1 would fall between those of the screen
    pen.drawImage(found, whole(state.x + shift), whole(state.y), w * state.zoom, h * state.zoom);
    pen.restore();
  }
  function comparable() { return Boolean(value().before); }
  function shown_view() {
    if (["paint", "box", "points", "point", "move"].includes(value().tool) && state.tool !== "look") return "work";
    return comparable() ? state.view : "after";
  }
  let asked = false;
  function draw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw_now(); });
  }
  function draw_now() {
    const dots = window.devicePixelRatio || 1, wide = canvas.clientWidth, tall = frame.clientHeight, view = shown_view();
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, wide, tall);
    const before = picture("before"), after = picture("after"), input = picture("input");
    split.style.display = view === "split" ? "block" : "none";
    if (view === "split") {
      const x = Math.round(state.at * wide);
      put(before, 0, x);
      put(after, x, wide - x);
      split.style.left = x + "px";
      split.setAttribute("aria-valuenow", Math.round(state.at * 100));
    } else if (view === "side") {
      put(before, 0, wide / 2);
      put(after, wide / 2, wide / 2);
    } else if (view === "work") {
      const same = String(value().full) === String(value().full_input);   // else places would not be the step's own
      put(same && ["paint", "move", "point"].includes(value().tool) ? after || input : input || after, 0, wide);
      const { tool, layer: layer_facts, points, move } = value();
      photochrom.overlay(pen, { ...state, tool_kind: tool, layer_facts, points, move, world: world(), layer, tint, image,
                                box: box(), spots: handles(), dragged: Boolean(drag) });
    } else put(view === "before" ? before || after : after, 0, wide);
    empty.style.display = world()[0] ? "none" : "flex";
    const at = Math.round(state.zoom * 100 * 10) / 10;
    canvas.dataset.ready = String(Boolean(after));
    canvas.dataset.turn = value().turn || 0;
    canvas.setAttribute("aria-label", value().alt || "the picture");
    status.textContent = world()[0] ? `${world()[0]} × ${world()[1]} pixels, shown at ${at} %` +
      (state.tool === "paint" || state.tool === "erase" ? `, brush ${Math.round(state.brush)} px` : "") +
      (value().note ? ` · ${value().note}` : "") : "no picture is open";
  }
  // -- painting ------------------------------------------------------------------------------------------------
  function load_layer() {
    const wanted = value().layer;
    if (!wanted || wanted.key === state.key) return;
    state.key = wanted.key;
    [layer.width, layer.height] = wanted.size;
    if (!wanted.url) return draw();
    const made = new Image(), key = wanted.key;
    made.onload = () => { if (state.key === key) { layer.getContext("2d").drawImage(made, 0, 0, ...wanted.size); draw(); } };
    made.src = wanted.url;
  }
  const stroke = () => ({ erase: state.tool === "erase", soft: value().layer.coloured ? 0 : state.soft,
                          colour: value().layer.coloured ? state.colour : "#ffffff", brush: state.brush,
                          part: layer.width / world()[0] });
  function painted() { tell("painted", { layer: value().layer.name, data: layer.toDataURL("image/png") }); }

  // -- boxes and points ----------------------------------------------------------------------------------------
  const box = () => value().box || [0, 0, ...world()];
  function handles() {
    const [x0, y0, x1, y1] = box(), mx = (x0 + x1) / 2, my = (y0 + y1) / 2;
    return [[x0, y0], [mx, y0], [x1, y0], [x1, my], [x1, y1], [mx, y1], [x0, y1], [x0, my]];
  }
  function change(part) {
    held = { part: { ...(held && held.part), ...part }, tool: value().tool, count: Infinity };
    draw();
  }
  const move_box = (start, which, dx, dy) => change({ box: photochrom.moved_box(start, which, dx, dy, world()) });
  const near = (spots, at) => {
    const far = spots.map((p) => Math.hypot(p[0] - at[0], p[1] - at[1]) * state.zoom);
    const least = Math.min(...far);
    return least < 16 ? far.indexOf(least) : -1;
  };

  // -- pointers ------------------------------------------------------------------------------------------------
  let drag = null;
  const pointers = new Map();
  const spot = (event) => {
    const area = canvas.getBoundingClientRect();
    let x = event.clientX - area.left;
    if (state.view === "side" && shown_view() === "side" && x > pane()) x -= pane();
    return [x, event.clientY - area.top];
  };
  const in_world = ([x, y]) => [(x - state.x) / state.zoom, (y - state.y) / state.zoom];
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, spot(event));
    canvas.setPointerCapture(event.pointerId);
    const at = spot(event), here = in_world(at), working = shown_view() === "work", tool = value().tool;
    if (pointers.size === 2) { drag = { kind: "pinch" }; return; }
    drag = { kind: "pan", at, x: state.x, y: state.y };
    if (working && event.button === 0 && !event.altKey) {
      if (tool === "paint") {
        drag = { kind: "paint", last: here };
        photochrom.stamp(layer, stroke(), here, here);
      } else if (tool === "box") {
        const which = near(handles(), here), [x0, y0, x1, y1] = box();
        const inside = here[0] > x0 && here[0] < x1 && here[1] > y0 && here[1] < y1;
        if (which >= 0 || inside) drag = { kind: "box", which: which >= 0 ? which : 8, from: here, start: box() };
      } else if (tool === "point") {
        change({ points: [here.map((n) => Math.floor(n) + 0.5)] });
        drag = { kind: "point", which: 0 };
      } else if (tool === "points") {
        let points = value().points || [], which = near(points, here);
        if (which < 0) { points = [...points, here.map((n) => Math.round(n * 2) / 2)]; which = points.length - 1; }
        change({ points });
        drag = { kind: "point", which };
      } else if (tool === "move" && value().move) {
        drag = { kind: "move", from: here, x: value().move.x, y: value().move.y };
      }
    }
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = spot(event), here = in_world(at);
    state.over = here;
    if (drag && drag.kind === "pinch" && pointers.size === 2) {
      const [a, b] = [...pointers.values()], far = Math.hypot(a[0] - b[0], a[1] - b[1]);
      pointers.set(event.pointerId, at);
      const [c, d] = [...pointers.values()], now = Math.hypot(c[0] - d[0], c[1] - d[1]);
      state.x += (c[0] + d[0] - a[0] - b[0]) / 2;
      state.y += (c[1] + d[1] - a[1] - b[1]) / 2;
      zoom_to(state.zoom * now / (far || 1), (c[0] + d[0]) / 2, (c[1] + d[1]) / 2);
    } else if (drag && drag.kind === "pan") {
      state.x = drag.x + at[0] - drag.at[0];
      state.y = drag.y + at[1] - drag.at[1];
      if (state.x !== drag.x || state.y !== drag.y) state.fitted = false;
      keep_inside();
    } else if (drag && drag.kind === "paint") {
      photochrom.stamp(layer, stroke(), drag.last, here);
      drag.last = here;
    } else if (drag && drag.kind === "box") {
      move_box(drag.start, drag.which, here[0] - drag.from[0], here[1] - drag.from[1]);
    } else if (drag && drag.kind === "point") {
      const points = value().points.map((p) => [...p]);
      points[drag.which] = here.map((n) => Math.floor(n) + 0.5);
      change({ points });
    } else if (drag && drag.kind === "move") {
      const m = value().move;
      change({ move: { ...m, x: Math.round(drag.x + here[0] - drag.from[0]), y: Math.round(drag.y + here[1] - drag.from[1]) } });
    }
    draw();
  });
  const ended = (event) => {
    pointers.delete(event.pointerId);
    const done = drag;
    drag = null;
    if (done && done.kind === "paint") painted();
    if (done && done.kind === "box") tell("boxed", { box: box() });
    if (done && done.kind === "point") tell("picked", { points: value().points });
    if (done && done.kind === "move") tell("moved", { x: value().move.x, y: value().move.y });
    draw();
  };
  canvas.addEventListener("pointerup", ended);
  canvas.addEventListener("pointercancel", ended);
  canvas.addEventListener("pointerleave", () => { state.over = null; draw(); });
  canvas.addEventListener("wheel", (event) => {
    if (!world()[0] || !(event.ctrlKey || document.activeElement === canvas || !state.fitted)) return;
    event.preventDefault();   // at rest the wheel scrolls the page; once the picture has the focus it zooms
    zoom_to(state.zoom * Math.exp(-event.deltaY / 400), ...spot(event));
  }, { passive: false });
  split.addEventListener("pointerdown", (event) => { split.setPointerCapture(event.pointerId); event.preventDefault(); split.focus(); });
  split.addEventListener("pointermove", (event) => {
    if (!split.hasPointerCapture(event.pointerId)) return;
    const area = canvas.getBoundingClientRect();
    state.at = Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
    draw();
  });
  split.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (!step) return;
    state.at = Math.min(1, Math.max(0, state.at + step));
    event.preventDefault();
    draw();
  });

  // -- keys ----------------------------------------------------------------------------------------------------
  function brush_by(factor) { state.brush = Math.min(4000, Math.max(1, state.brush * factor)); sliders(); draw(); }
  window.addEventListener("keydown", (event) => {   // the brush obeys wherever the focus is, but not while one types
    const typing = event.target.closest("input:not([type=range], [type=search]), textarea, [contenteditable=true]");
    if (typing || event.ctrlKey || event.metaKey || value().tool !== "paint" || !host.isConnected) return;
    if (event.key !== "[" && event.key !== "]") return;
    brush_by(event.key === "[" ? 1 / 1.2 : 1.2);
    event.preventDefault();   // the search for operations keeps the focus after Enter, and has no use for brackets
  });
  canvas.addEventListener("keydown", (event) => {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.ctrlKey || event.metaKey) return;
    if (arrows && shown_view() === "work" && value().tool === "box") {
      move_box(box(), event.shiftKey ? 4 : 8, ...arrows);
      tell("boxed", { box: box() });
    } else if (arrows && shown_view() === "work" && value().tool === "move") {
      const m = value().move;
      change({ move: { ...m, x: m.x + arrows[0], y: m.y + arrows[1] } });
      tell("moved", { x: value().move.x, y: value().move.y });
    } else if (arrows) {
      state.x -= arrows[0] * 40;
      state.y -= arrows[1] * 40;
      state.fitted = false;
      keep_inside();
      draw();
    } else if (event.key === "+" || event.key === "=") zoom_to(state.zoom * 1.25);
    else if (event.key === "-") zoom_to(state.zoom / 1.25);
    else if (event.key === "0") fit();
    else if (event.key === "1") zoom_to(1);
    else if ((event.key === "Delete" || event.key === "Backspace") && value().tool === "points") {
      change({ points: (value().points || []).slice(0, -1) });
      tell("picked", { points: value().points });
    } else return;
    event.preventDefault();
  });

  // -- buttons -------------------------------------------------------------------------------------------------
  let size_slider = null;
  function sliders() { if (size_slider) size_slider.value = Math.round(100 * Math.log(state.brush) / Math.log(4000)); }
  const press = (text, on, title, done) =>
    make("button", { type: "button", "aria-pressed": String(on), title, onclick: () => { done(); buttons(); settle(); } }, text);
  function buttons() {
    const focus = host.contains(document.activeElement) ? document.activeElement.textContent : null;
    const view = (name, text, title) => press(text, state.view === name, title, () => {
      state.view = name;
      state.tool = "look";
    });
    bar.replaceChildren(
      ...(comparable() ? [view("split", "Before | after", "one picture, a line between"),
                          view("side", "Side by side", "two pictures under one zoom"), view("before", "Before", "the original"),
                          view("after", "After", "the result")] : []),
      press("Fit", false, "show it whole (0)", fit), press("1:1", false, "one pixel for one (1)", () => zoom_to(1)),
      press("−", false, "smaller (-)", () => zoom_to(state.zoom / 1.25)), press("+", false, "larger (+)", () => zoom_to(state.zoom * 1.25)));
    const kind = value().tool, coloured = value().layer && value().layer.coloured;
    const names = { box: "Draw the box", point: "Pick the point", points: "Pick the points", move: "Drag it into place" };
    tools.replaceChildren();
    size_slider = null;
    if (kind === "paint") {
      size_slider = make("input", { type: "range", min: 0, max: 100, "aria-label": "brush size", title: "brush size, [ and ]" });
      size_slider.addEventListener("input", () => { state.brush = Math.pow(4000, size_slider.value / 100); draw(); });
      const paint = (name, text) => press(text, state.tool === name, "", () => { state.tool = state.tool === name ? "look" : name; });
      const name = value().layer.name.replaceAll("_", " ");
      tools.append(paint("paint", coloured ? "Colour brush" : `Paint ${name}`), paint("erase", "Erase"),
                   make("label", { class: "pc-inline" }, "size", size_slider));
      if (coloured) {
        const well = make("input", { type: "color", value: state.colour, "aria-label": "brush colour" });
        well.addEventListener("input", () => { state.colour = well.value; });
        tools.append(well);
      } else tools.append(press("Soft edge", state.soft > 0, "", () => { state.soft = state.soft > 0 ? 0 : 0.5; }));
      tools.append(press("Fill", false, "mark everything", () => {
        const ink = layer.getContext("2d");
        ink.globalCompositeOperation = "source-over";
        ink.fillStyle = coloured ? state.colour : "#fff";
        ink.fillRect(0, 0, layer.width, layer.height);
        painted();
      }), press("Clear", false, "mark nothing", () => { layer.getContext("2d").clearRect(0, 0, layer.width, layer.height); painted(); }));
      sliders();
    } else if (names[kind]) {
      tools.append(press(names[kind], state.tool !== "look", "", () => { state.tool = state.tool === "look" ? kind : "look"; }));
    }
    if (focus) [...host.querySelectorAll("button")].find((b) => b.textContent === focus)?.focus();
  }

  photochrom.droppable(frame);

  let last_tool = "", last_key = "";
  function taken() {
    if (held && !drag && (props.value.tool !== held.tool || (props.value.count || 0) >= held.count)) held = null;
    const now = value(), size = String(now.full), key = now.layer ? now.layer.key : "";
    if (now.tool !== last_tool) {
      state.tool = ["box", "point", "points", "move"].includes(now.tool) ? now.tool : "look";
      last_tool = now.tool;
    }
    if (key !== last_key) {   // another layer: paint at once where painting is what the layer is there for
      if (now.layer && now.layer.eager) state.tool = "paint";
      last_key = key;
    }
    if (size !== String(state.size)) { state.size = now.full; state.fitted = true; }
    load_layer();
    buttons();
    settle();
  }
  // After a change of tool or view another picture, of another size, may be the one that is shown.
  let was = "";
  function settle() {
    const now = `${world()} ${state.view}`, working = shown_view() === "work";
    canvas.classList.toggle("pc-working", working);
    host.closest("#easel")?.style.setProperty("--pc-bars", `${frame.offsetTop - host.offsetTop}px`);
    canvas.classList.toggle("pc-zoomed", !state.fitted);
    if (now !== was) { was = now; state.fitted = true; resize(); } else draw();
  }
  new ResizeObserver(resize).observe(frame);
  taken();
  watch("value", taken);
};
