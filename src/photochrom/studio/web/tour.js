// The tour, the switch between dark and light, and files that are handed over.
window.photochrom = window.photochrom || {};

photochrom.shade = function () {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("photochrom-shade", dark ? "dark" : "light");
};

photochrom.fetch_file = function (address) {
  if (!address) return;
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
};

photochrom.TOUR = [
  ["#sample", "Open a picture of your own, or drop one on the grey field. To look around, take the sample: “Next” " +
    "opens it for you. Your file is never changed."],
  ["#picker", "Here are all operations, by chapter. Type a few letters of what you want: “sharp”, “grey”, “curve”. " +
    "Enter takes the first."],
  ["#left", "The controls of the operation appear below the list; this is exposure. Move one: the picture " +
    "follows at once. Every step also has a strength. “What it does” tells more, with the paper behind it and a picture " +
    "of its effect."],
  ["#easel", "Drag the line to compare before and after. “Side by side” shows both under one zoom, “1:1” pixel for " +
    "pixel. “Paint mask” says where the step acts; [ and ] change the brush."],
  ["#stack", "“Add this step” puts it here. Steps can be switched off, edited, moved and removed; Undo takes back any " +
    "of that."],
  ["#make", "When you like it, make the picture at full size, in the original's format or another. The recipe above " +
    "does the same to a whole folder from the command line."],
];

photochrom.tour = function (asked) {
  if (!asked && localStorage.getItem("photochrom-tour")) return;
  localStorage.setItem("photochrom-tour", "seen");
  document.querySelector(".pc-tour")?.remove();
  const steps = photochrom.TOUR.filter(([place]) => document.querySelector(place)), before = document.activeElement;
  const card = document.createElement("div");
  card.className = "pc-tour";
  card.setAttribute("role", "dialog");
  card.setAttribute("aria-label", "a tour of the studio");
  let at = 0;
  const button = (text, done) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "pc-small";
    made.textContent = text;
    made.addEventListener("click", done);
    return made;
  };
  const lit = () => document.querySelectorAll(".pc-lit").forEach((part) => part.classList.remove("pc-lit"));
  const end = () => { lit(); card.remove(); before?.focus?.(); };
  function open_sample() {
    if (document.querySelector(".pc-empty")?.style.display === "none") return;
    if (document.querySelector("#note .pc-said")) document.querySelector("#sample").click();
    else setTimeout(open_sample, 200);   // the page has not begun yet
  }
  function choose_one() {
    if (!card.isConnected || document.querySelector("#keep-step")) return;
    if (document.querySelector(".pc-empty")?.style.display === "none") document.querySelector("#pc-option-exposure")?.click();
    else setTimeout(choose_one, 200);
  }
  function show() {
    lit();
    const [place, text] = steps[at], part = document.querySelector(place);
    part.classList.add("pc-lit");
    part.scrollIntoView({ block: "center" });
    const words = document.createElement("p"), count = document.createElement("span");
    words.textContent = text;
    count.className = "pc-help";
    count.textContent = `${at + 1} of ${steps.length} `;
    const next = button(at + 1 < steps.length ? "Next" : "Done", () => { at += 1; at < steps.length ? show() : end(); });
    const back = button("Back", () => { at -= 1; show(); });
    back.disabled = at === 0;
    const foot = document.createElement("div");
    foot.className = "pc-bar";
    foot.append(count, back, next, button("End the tour", end));
    card.replaceChildren(words, foot);
    if (at === 1) open_sample();
    if (at === 2) choose_one();
    next.focus();
  }
  card.addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
  document.body.append(card);
  show();
};

// Undo and redo by the keys everyone knows, but not while one types.
window.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=range]), textarea, [contenteditable=true]");
  if (typing || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase(), redo = key === "y" || (key === "z" && event.shiftKey);
  if (!redo && key !== "z") return;
  event.preventDefault();
  document.querySelector(redo ? "#redo" : "#undo")?.click();
});

// Dark or light as it was left, else as the system has it, which Gradio follows by itself. Gradio fetches each kind of
// part by itself and lays them out in whatever order they come, so the tour waits until all its places are there.
(function begin() {
  let shaded = false;
  const wait = () => {
    const shade = localStorage.getItem("photochrom-shade");
    if (shade && !shaded && document.querySelector("#sample")) {
      shaded = true;
      document.body.classList.toggle("dark", shade === "dark");
    }
    if (photochrom.TOUR.every(([place]) => document.querySelector(place))) photochrom.tour(false);
    else setTimeout(wait, 100);
  };
  wait();
})();
