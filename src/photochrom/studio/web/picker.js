// The list of operations: by chapter, or by what one types, in names and in what they do.
window.photochrom = window.photochrom || {};

photochrom.picker = function (element, props, trigger, watch) {
  const make = photochrom.make, host = element.querySelector(".pc-picker");
  const rows = props.value, chapters = [...new Set(rows.map((row) => row.chapter))];
  const list = make("div", { role: "listbox", class: "pc-list", tabindex: 0, "aria-label": "operations", id: "pc-list" });
  const search = make("input", { type: "search", placeholder: "search", role: "combobox",
                                 "aria-label": "search operations", "aria-controls": "pc-list", "aria-expanded": "true",
                                 autocomplete: "off", spellcheck: "false" });
  const chapter = make("select", { "aria-label": "chapter" }, make("option", { value: "" }, "all chapters"),
                       ...chapters.map((name) => make("option", { value: name }, name)));
  const count = make("div", { class: "pc-help", "aria-live": "polite" });
  host.replaceChildren(make("div", { class: "pc-picker-head" }, search, chapter), list, count);
  let shown = [], at = -1;

  const score = (row, words) => {   // 0: not found; what is in the name counts more than what is in the sentence
    let sum = 1;
    for (const word of words) {
      const name = row.label.toLowerCase(), place = name.indexOf(word);
      if (place === 0) sum += 100;
      else if (place > 0) sum += 50;
      else if (row.summary.toLowerCase().includes(word) || row.chapter.includes(word)) sum += 1;
      else return 0;
    }
    return sum;
  };
  function show() {
    const words = search.value.toLowerCase().replaceAll("_", " ").split(/\s+/).filter(Boolean);
    const wanted = rows.filter((row) => !chapter.value || row.chapter === chapter.value)
      .map((row) => [score(row, words), row]).filter(([found]) => found);
    if (words.length) wanted.sort((a, b) => b[0] - a[0]);
    shown = wanted.map(([, row]) => row);
    at = words.length && shown.length ? 0 : -1;
    let heading = "";
    const parts = [];
    shown.forEach((row, k) => {
      if (!words.length && row.chapter !== heading) {
        heading = row.chapter;
        parts.push(make("div", { class: "pc-heading", role: "presentation" }, heading));
      }
      parts.push(make("div", { role: "option", id: "pc-option-" + row.name, class: "pc-option", title: row.summary,
                               "data-name": row.name, onclick: () => { at = k; take(); } },
                      make("b", {}, row.label), " ", make("span", { class: "pc-help" }, row.summary)));
    });
    list.replaceChildren(...parts);
    count.textContent = shown.length ? "" : "nothing is called so";
    mark();
  }
  function mark() {
    list.querySelectorAll(".pc-option").forEach((part, k) => {
      part.setAttribute("aria-selected", String(k === at));
      if (k === at) {
        search.setAttribute("aria-activedescendant", part.id);
        list.setAttribute("aria-activedescendant", part.id);
        const top = part.offsetTop - list.offsetTop;
        if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 40) list.scrollTop = top - 60;
      }
    });
  }
  function take() {
    mark();
    if (shown[at]) trigger("acted", { name: shown[at].name, count: photochrom.count() });
  }
  function key(event) {
    if (event.key === "ArrowDown") at = Math.min(shown.length - 1, at + 1);
    else if (event.key === "ArrowUp") at = Math.max(0, at - 1);
    else if (event.key === "Enter") { event.preventDefault(); take(); return; }
    else return;
    event.preventDefault();
    mark();
  }
  search.addEventListener("input", show);
  chapter.addEventListener("change", show);
  search.addEventListener("keydown", key);
  list.addEventListener("keydown", key);
  show();
};
