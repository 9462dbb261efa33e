// What is drawn over the picture, and how a brush and a box move; see easel.js.
window.photochrom = window.photochrom || {};

// Draws what the tool in hand needs to show.
photochrom.overlay = function (pen, s) {
  const tool = s.tool_kind, [w, h] = s.world, z = s.zoom;
  if (tool === "paint") {
    if (s.layer_facts.coloured) pen.drawImage(s.layer, s.x, s.y, w * z, h * z);
    else {
      s.tint.width = s.layer.width;
      s.tint.height = s.layer.height;
      const ink = s.tint.getContext("2d");
      ink.drawImage(s.layer, 0, 0);
      ink.globalCompositeOperation = "source-in";
      ink.fillStyle = "#ff2d55";
      ink.fillRect(0, 0, s.tint.width, s.tint.height);
      pen.globalAlpha = 0.5;
      pen.drawImage(s.tint, s.x, s.y, w * z, h * z);
      pen.globalAlpha = 1;
    }
    if (s.over) {
      pen.strokeStyle = "#fff";
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.arc(s.x + s.over[0] * z, s.y + s.over[1] * z, s.brush * z / 2, 0, 7);
      pen.stroke();
      pen.strokeStyle = "#000";
      pen.lineWidth = 0.7;
      pen.stroke();
    }
  }
  if (tool === "box") {
    const [x0, y0, x1, y1] = s.box, left = s.x + x0 * z, top = s.y + y0 * z;
    pen.fillStyle = "#000a";
    pen.beginPath();
    pen.rect(s.x, s.y, w * z, h * z);
    pen.rect(left, top, (x1 - x0) * z, (y1 - y0) * z);
    pen.fill("evenodd");
    pen.strokeStyle = "#fff";
    pen.lineWidth = 1.5;
    pen.strokeRect(left, top, (x1 - x0) * z, (y1 - y0) * z);
    pen.globalAlpha = 0.4;
    for (const k of [1, 2]) {
      pen.strokeRect(left + (x1 - x0) * z * k / 3, top, 0, (y1 - y0) * z);
      pen.strokeRect(left, top + (y1 - y0) * z * k / 3, (x1 - x0) * z, 0);
    }
    pen.globalAlpha = 1;
    pen.fillStyle = "#fff";
    for (const [hx, hy] of s.spots) pen.fillRect(s.x + hx * z - 6, s.y + hy * z - 6, 12, 12);
  }
  if (tool === "points" || tool === "point") {
    (s.points || []).forEach((p, k) => {
      const x = s.x + p[0] * z, y = s.y + p[1] * z;
      pen.strokeStyle = "#000";
      pen.lineWidth = 4;
      photochrom.cross(pen, x, y);
      pen.strokeStyle = "#fff";
      pen.lineWidth = 2;
      photochrom.cross(pen, x, y);
      if (tool === "points") { pen.fillStyle = "#fff"; pen.font = "14px sans-serif"; pen.fillText(k + 1, x + 8, y - 8); }
    });
  }
  if (tool === "move" && s.move) {
    const m = s.move, found = s.image(m.url);
    if (found) {
      pen.globalAlpha = s.dragged ? 0.6 : 0;   // at rest only its frame is shown, over the result
      pen.drawImage(found, s.x + m.x * z, s.y + m.y * z, m.w * z, m.h * z);
      pen.globalAlpha = 1;
    }
    pen.setLineDash([6, 4]);
    pen.strokeStyle = "#fff";
    pen.strokeRect(s.x + m.x * z, s.y + m.y * z, m.w * z, m.h * z);
    pen.setLineDash([]);
  }
};

// A mark for a point.
photochrom.cross = function (pen, x, y) {
  pen.beginPath();
  pen.arc(x, y, 6, 0, 7);
  pen.moveTo(x - 12, y); pen.lineTo(x - 3, y); pen.moveTo(x + 3, y); pen.lineTo(x + 12, y);
  pen.moveTo(x, y - 12); pen.lineTo(x, y - 3); pen.moveTo(x, y + 3); pen.lineTo(x, y + 12);
  pen.stroke();
};

// Lays the brush down along a line, in soft or hard discs.
photochrom.stamp = function (layer, s, from, to) {
  const ink = layer.getContext("2d"), part = s.part, r = Math.max(0.5, s.brush * part / 2);
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) * part, count = Math.ceil(length / Math.max(0.5, r / 4));
  ink.globalCompositeOperation = s.erase ? "destination-out" : "source-over";
  for (let k = 0; k <= count; k++) {
    const t = count ? k / count : 0;
    const x = (from[0] + (to[0] - from[0]) * t) * part, y = (from[1] + (to[1] - from[1]) * t) * part;
    if (s.soft > 0) {
      const fade = ink.createRadialGradient(x, y, r * (1 - s.soft), x, y, r);
      fade.addColorStop(0, s.colour);
      fade.addColorStop(1, s.colour + "00");
      ink.fillStyle = fade;
    } else ink.fillStyle = s.colour;
    ink.beginPath();
    ink.arc(x, y, r, 0, 7);
    ink.fill();
  }
};

// The box after one of its handles (0 to 7, clockwise from the upper left) or the whole of it (8) was dragged.
photochrom.moved_box = function (start, which, dx, dy, [w, h]) {
  let [x0, y0, x1, y1] = start;
  if (which === 8) {
    dx = Math.min(w - x1, Math.max(-x0, dx));
    dy = Math.min(h - y1, Math.max(-y0, dy));
    [x0, y0, x1, y1] = [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
  } else {
    if ([0, 6, 7].includes(which)) x0 = Math.min(x1 - 1, Math.max(0, x0 + dx));
    if ([2, 3, 4].includes(which)) x1 = Math.max(x0 + 1, Math.min(w, x1 + dx));
    if ([0, 1, 2].includes(which)) y0 = Math.min(y1 - 1, Math.max(0, y0 + dy));
    if ([4, 5, 6].includes(which)) y1 = Math.max(y0 + 1, Math.min(h, y1 + dy));
  }
  return [x0, y0, x1, y1].map(Math.round);
};

// A picture dropped on the frame is handed to the page's own file field.
photochrom.droppable = function (frame) {
  frame.addEventListener("dragover", (event) => event.preventDefault());
  frame.addEventListener("drop", (event) => {
    event.preventDefault();
    const field = document.querySelector("#open-file input[type=file]");
    if (field && event.dataTransfer.files.length) {
      field.files = event.dataTransfer.files;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
};
