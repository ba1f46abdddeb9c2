"use strict";
// Sort, search and export tables, hide their columns, filter and sort the gallery. Without this script the page still shows everything.

const valueOf = (cell) => {
  const text = cell.dataset.v ?? cell.textContent.trim();
  const number = text === "" ? NaN : Number(text);
  return { text, number, blank: text === "" };
};

const byCell = (column, turn) => (one, other) => {
  const [a, b] = [one, other].map((row) => valueOf(row.cells[column]));
  if (a.blank || b.blank) return a.blank - b.blank; // blank cells come last in both directions
  if (!Number.isNaN(a.number) && !Number.isNaN(b.number)) return turn * (a.number - b.number);
  return turn * a.text.localeCompare(b.text, "en", { numeric: true });
};

const sortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = head.classList.contains("n") ? "descending" : "ascending"; // the largest numbers first
      const second = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(byCell(column, order === "ascending" ? 1 : -1)));
    });
  });
};

// A spreadsheet would run a cell that starts like a formula, and titles come from the internet.
const tsvCell = (cell) => {
  const text = valueOf(cell).text.replace(/\s+/g, " ");
  return /^[=+@-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
};

const tsvOf = (table) =>
  [...table.rows]
    .filter((row) => !row.hidden)
    .map((row) => [...row.cells].filter((cell) => !cell.hidden).map(tsvCell).join("\t"))
    .join("\n") + "\n";

const download = (name, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/tab-separated-values" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

const columnMenu = (table) => {
  const menu = element("div", { className: "menu" });
  [...table.tHead.rows[0].cells].slice(1).forEach((head, index) => {
    const tick = element("input", { type: "checkbox", checked: true });
    tick.addEventListener("change", () => {
      for (const row of table.rows) row.cells[index + 1].hidden = !tick.checked;
    });
    menu.append(element("label", {}, tick, ` ${head.textContent}`));
  });
  const details = element("details", {}, element("summary", { textContent: "Columns" }), menu);
  document.addEventListener("click", (event) => {
    if (!details.contains(event.target)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.firstChild.focus();
  });
  return details;
};

const addTools = (tools) => {
  const table = document.getElementById(tools.dataset.for);
  const rows = [...table.tBodies[0].rows];
  const count = element("span", { className: "count", role: "status", textContent: `${rows.length} rows` });
  const search = element("input", { type: "search", placeholder: "Search", ariaLabel: "Search the table" });
  search.addEventListener("input", () => {
    const wanted = search.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  });
  const save = element("button", { type: "button", textContent: "Export TSV" });
  save.addEventListener("click", () => download(`${table.id}.tsv`, tsvOf(table)));
  tools.append(search, columnMenu(table), save, count);
};

// The rank of a sample by its visible boxes; the lowest rank comes first.
const RANKS = {
  "": () => 0,
  confidence: (boxes) => Math.min(2, ...boxes.map((box) => Number(box.dataset.p))), // 2 is above any confidence
  many: (boxes) => -boxes.length,
};

const orderGallery = (samples, rank) => {
  const ranks = new Map(samples.map((sample) => [sample, rank([...sample.querySelectorAll("g:not(.out)")])]));
  document.getElementById("samples").append(...[...samples].sort((a, b) => ranks.get(a) - ranks.get(b)));
};

const filterGallery = (form) => {
  const samples = [...document.querySelectorAll("#samples figure")];
  const show = () => {
    const { class: name, video, split, confidence, order, boxes, least } = form.elements;
    least.value = Number(confidence.value).toFixed(2);
    document.getElementById("samples").classList.toggle("no-boxes", !boxes.checked);
    let shown = 0;
    for (const sample of samples) {
      const all = [...sample.querySelectorAll("g")];
      const confident = all.filter((box) => Number(box.dataset.p) >= Number(confidence.value));
      const classes = Number(confidence.value) > 0 ? confident.map((box) => box.dataset.c) : sample.dataset.classes.split(" ");
      for (const box of all) {
        box.classList.toggle("out", !confident.includes(box) || (name.value !== "" && box.dataset.c !== name.value));
      }
      const matches =
        (name.value === "" ? Number(confidence.value) === 0 || confident.length > 0 : classes.includes(name.value)) &&
        (video.value === "" || sample.dataset.video === video.value) &&
        (split.value === "" || sample.dataset.split === split.value);
      sample.hidden = !matches;
      shown += matches;
    }
    orderGallery(samples, RANKS[order.value]);
    document.getElementById("count").textContent = `${shown} shown`;
    document.getElementById("nothing").hidden = shown > 0;
  };
  for (const kind of ["input", "change"]) form.addEventListener(kind, show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  for (const link of document.querySelectorAll("[data-pick]")) {
    link.addEventListener("click", () => {
      form.reset();
      form.elements.video.value = link.dataset.pick;
      if (form.elements.video.selectedIndex < 0) form.elements.video.value = ""; // the page has no sample of this video
      setTimeout(show);
    });
  }
};

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll(".tools").forEach(addTools);
document.querySelectorAll("#filters").forEach(filterGallery);
